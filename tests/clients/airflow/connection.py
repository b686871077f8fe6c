"""Connections of Airflow to the Tableau that the environment names."""

import json
import os
import time
import uuid

os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "ERROR"

def connect(name, **settings):
    """A Tableau connection as Airflow reads it from the environment."""
    connection = {"conn_type": "tableau", "host": os.environ["TABLEAU_URL"], **settings}
    connection["extra"] = {"site_id": os.environ["TABLEAU_SITE"], **settings.get("extra", {})}
    os.environ[f"AIRFLOW_CONN_{name.upper()}"] = json.dumps(connection)
    return name


def with_password(name="tableau_password", password=None):
    password = password or os.environ["TABLEAU_PASSWORD"]
    return connect(name, login=os.environ["TABLEAU_USER"], password=password)


def with_jwt(client_id, secret_id, secret, name="tableau_jwt", **changes):
    """A connection with the token of a connected app, good for one sign-in."""
    import jwt

    claims = {
        "iss": client_id,
        "sub": os.environ["TABLEAU_USER"],
        "aud": "tableau",
        "exp": int(time.time()) + 300,
        "jti": str(uuid.uuid4()),
        "scp": ["tableau:content:read", "tableau:tasks:run", "tableau:jobs:read"],
        **changes,
    }
    token = jwt.encode(claims, secret, algorithm="HS256", headers={"kid": secret_id, "iss": client_id})
    return connect(name, extra={"auth": "jwt", "jwt_token": token})


def check(text):
    print(f"passed: {text}", flush=True)


def raises(kind, call):
    """The error of this kind that the call raises."""
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}")
