select current_date as day, sum(amount) as amount
from {{ ref('orders') }}
