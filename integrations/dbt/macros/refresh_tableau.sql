{#
  Refreshes in Tableau what depends on the models of this run: on-run-end: "{{ tableau_webhooks.refresh_tableau(results) }}"

  An exposure says what: meta.tableau with kind, and name (with project), luid or url. It is refreshed if a model, seed or snapshot that it
  depends on was built in this run, and none of them failed, was skipped or has a failed test.

  A macro cannot call HTTP. The warehouse does: on Snowflake the procedure of integrations/snowflake, on DuckDB a function that
  duckdb_plugin.py adds. With another warehouse run refresh_after_run.py after dbt.
#}
{% macro refresh_tableau(results) %}
  {%- if execute and flags.WHICH in ('run', 'build', 'seed', 'snapshot') -%}
    {%- set wrong = [] -%}
    {%- for exposure in graph.exposures.values() -%}
      {%- set meta = (exposure.config.meta or exposure.meta or {}).get('tableau') -%}
      {%- if meta -%}
        {%- set built = [] -%}
        {%- set bad = [] -%}
        {%- for result in results -%}
          {%- set id = result.node.unique_id -%}
          {%- if id in exposure.depends_on.nodes -%}
            {%- do (built if result.status | string == 'success' else bad).append(result.node.name) -%}
          {%- elif result.node.resource_type | string == 'test' and result.status | string in ('fail', 'error', 'skipped') -%}
            {%- for parent in result.node.depends_on.nodes if parent in exposure.depends_on.nodes -%}
              {%- do bad.append(result.node.name) -%}
            {%- endfor -%}
          {%- endif -%}
        {%- endfor -%}
        {%- if bad -%}
          {{ log('Tableau: ' ~ exposure.name ~ ' is not refreshed because of ' ~ bad | unique | join(', '), info=true) }}
        {%- elif built -%}
          {%- set answer = run_query(tableau_webhooks.refresh_tableau_sql(meta)).columns[0].values()[0] -%}
          {{ log('Tableau: ' ~ exposure.name ~ ': ' ~ answer, info=true) }}
          {%- if answer != 'Resource refresh complete' -%}
            {%- do wrong.append(exposure.name ~ ': ' ~ answer) -%}
          {%- endif -%}
        {%- endif -%}
      {%- endif -%}
    {%- endfor -%}
    {%- if wrong -%}
      {#- The hook is a statement that fails, with what is wrong in its error. An exception of dbt here would end it before it writes its results. -#}
      select cast({{ tableau_webhooks.refresh_tableau_text(wrong | join('; '), tableau_webhooks.refresh_tableau_escape()) }} as integer)
    {%- endif -%}
  {%- endif -%}
{% endmacro %}


{% macro refresh_tableau_sql(meta) %}
  {{- return(adapter.dispatch('refresh_tableau_sql', 'tableau_webhooks')(meta)) -}}
{% endmacro %}

{% macro default__refresh_tableau_sql(meta) %}
  {{ exceptions.raise_compiler_error('refresh_tableau: ' ~ target.type ~ ' cannot call the service. Run refresh_after_run.py after dbt.') }}
{% endmacro %}

{# The procedure takes workbooks and data sources by their names. #}
{% macro snowflake__refresh_tableau_sql(meta) %}
  {%- if not meta.get('name') or meta.get('kind') not in ('workbook', 'datasource') -%}
    {{ exceptions.raise_compiler_error('refresh_tableau: on Snowflake meta.tableau needs kind (workbook or datasource) and name') }}
  {%- endif -%}
  {%- set procedure = var('tableau_refresh_procedure', 'api__tableau__refresh_resource') -%}
  {%- set connection = var('tableau_refresh_connection', '') -%}
  {%- set arguments = tableau_webhooks.refresh_tableau_arguments(meta, '\\') -%}
  {%- if meta.get('fresh') is sameas false -%}
    {%- if not connection -%}
      {{ exceptions.raise_compiler_error('refresh_tableau: on Snowflake meta.tableau.fresh: false needs the variable tableau_refresh_connection, the address of the stack') }}
    {%- endif -%}
    {%- set connection = connection ~ '?fresh=false' -%}
  {%- endif -%}
  {%- if connection -%}
    {%- set arguments = arguments ~ ', ' ~ tableau_webhooks.refresh_tableau_text(connection, '\\') -%}
  {%- endif -%}
  {{- return('call ' ~ procedure ~ '(' ~ arguments ~ ')') -}}
{% endmacro %}

{% macro duckdb__refresh_tableau_sql(meta) %}
  {%- if not meta.get('name') -%}
    {{ exceptions.raise_compiler_error('refresh_tableau: on DuckDB meta.tableau needs kind and name') }}
  {%- endif -%}
  {{- return('select api__tableau__refresh_resource(' ~ tableau_webhooks.refresh_tableau_arguments(meta, "'") ~ (", 'false'" if meta.get('fresh') is sameas false else ", 'true'") ~ ')') -}}
{% endmacro %}

{# What stands before a quotation mark in a text of SQL. #}
{% macro refresh_tableau_escape() %}
  {{- return('\\' if target.type == 'snowflake' else "'") -}}
{% endmacro %}

{% macro refresh_tableau_arguments(meta, escape) %}
  {%- set texts = [] -%}
  {%- for member in ('kind', 'name', 'project', 'site') -%}
    {%- set value = meta.get(member) or '' -%}
    {%- do texts.append(tableau_webhooks.refresh_tableau_text(value if value is string else tojson(value), escape)) -%}
  {%- endfor -%}
  {{- return(texts | join(', ')) -}}
{% endmacro %}

{# A text of SQL. A backslash that escapes has to be escaped itself. #}
{% macro refresh_tableau_text(text, escape) %}
  {%- set text = text | replace('\\', '\\\\') if escape == '\\' else text -%}
  {{- return("'" ~ text | replace("'", escape ~ "'") ~ "'") -}}
{% endmacro %}
