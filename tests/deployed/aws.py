"""An AWS client that is not ours: calls of boto3, one JSON document per line in, one out.

    {"service": "sqs", "operation": "list_queues", "arguments": {}}
    {"service": "sqs", "operation": "list_queues", "arguments": {}, "role": "arn:aws:iam::000000000000:role/x"}

The answer is {"ok": …} or {"error": "<code>", "message": "…"}. With a role, the call is made as that role.
`unzip` is no service of AWS: it lays the archive at a URL out in a folder.
"""

import functools
import io
import json
import sys
import urllib.request
import zipfile

import boto3
import botocore.exceptions


@functools.cache
def client(service, role):
    if role is None:
        return boto3.client(service)
    session = client("sts", None).assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    return boto3.client(
        service,
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
    )


def call(service, operation, arguments, role=None):
    if service == "unzip":
        with urllib.request.urlopen(arguments["url"], timeout=30) as response:
            zipfile.ZipFile(io.BytesIO(response.read())).extractall(arguments["into"])
        return {}
    operation = getattr(client(service, role), operation)
    answer = operation(**arguments)
    answer.pop("ResponseMetadata", None)
    if hasattr(answer.get("Payload"), "read"):
        answer["Payload"] = answer["Payload"].read().decode()
    return answer


for line in sys.stdin:
    try:
        answer = {"ok": call(**json.loads(line))}
    except botocore.exceptions.ClientError as error:
        answer = {"error": error.response["Error"]["Code"], "message": error.response["Error"]["Message"]}
    print(json.dumps(answer, default=str), flush=True)
