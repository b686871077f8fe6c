"""AWS's own Python client against our double of Amazon S3: the calls of the history, and its refusals.

  s3.py double ENDPOINT_URL REGION ACCESS_KEY_ID SECRET_ACCESS_KEY SESSION_TOKEN

Prints one line per check; ends with 1 at the first that fails.
"""

import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

BUCKET = "history"


def check(what, holds):
    print(("ok      " if holds else "FAILED  ") + what, flush=True)
    if not holds:
        sys.exit(1)


def double(url, region, key, secret, token):
    client = boto3.client(
        "s3",
        endpoint_url=url,
        region_name=region,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(
            retries={"max_attempts": 0},
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )

    def refused(code, call, **arguments):
        try:
            call(Bucket=arguments.pop("Bucket", BUCKET), **arguments)
        except ClientError as error:
            return error.response["Error"]["Code"] == code
        return False

    day = "history/events/day=2026-11-29/events.ndjson.gz"
    odd = "history/a b&c<d>+ä.gz"
    for key in (day, odd):
        client.put_object(Bucket=BUCKET, Key=key, Body=key.encode() + b"\0\xff", ContentType="application/gzip")
    for key in (day, odd):
        answer = client.get_object(Bucket=BUCKET, Key=key)
        check(f"{key} comes back", answer["Body"].read() == key.encode() + b"\0\xff")
        check("… with its content type", answer["ContentType"] == "application/gzip")
    client.put_object(Bucket=BUCKET, Key=day, Body=b"newer")
    check("an object is replaced", client.get_object(Bucket=BUCKET, Key=day)["Body"].read() == b"newer")
    check("a missing object is NoSuchKey", refused("NoSuchKey", client.get_object, Key="other"))
    check("a missing bucket is NoSuchBucket", refused("NoSuchBucket", client.list_objects_v2, Bucket="none"))

    tag = client.get_object(Bucket=BUCKET, Key=day)["ETag"]
    written = client.put_object(Bucket=BUCKET, Key=day, Body=b"on condition", IfMatch=tag)["ETag"]
    check("a write on condition replaces the version that it names", written != tag and client.get_object(Bucket=BUCKET, Key=day)["ETag"] == written)
    check("… and no other one", refused("PreconditionFailed", client.put_object, Key=day, Body=b"late", IfMatch=tag))
    check("… which stays", client.get_object(Bucket=BUCKET, Key=day)["Body"].read() == b"on condition")
    check("… nor one that is gone", refused("NoSuchKey", client.put_object, Key="gone", Body=b"late", IfMatch=tag))
    check("a write of a new object replaces none", refused("PreconditionFailed", client.put_object, Key=day, Body=b"x", IfNoneMatch="*"))

    for n in range(5):
        client.put_object(Bucket=BUCKET, Key=f"many/{n}", Body=b"x" * n)
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="many/", PaginationConfig={"PageSize": 2})
    pages = [[(one["Key"], one["Size"]) for one in page["Contents"]] for page in pages]
    check("a list has pages", [len(page) for page in pages] == [2, 2, 1])
    check("… with all keys and sizes in order", sum(pages, []) == [(f"many/{n}", n) for n in range(5)])
    keys = [one["Key"] for one in client.list_objects_v2(Bucket=BUCKET, Prefix="history/")["Contents"]]
    check("keys with signs come back as they are", keys == sorted([day, odd]))
    check("a prefix without keys has none", "Contents" not in client.list_objects_v2(Bucket=BUCKET, Prefix="x"))

    client.delete_object(Bucket=BUCKET, Key=odd)
    client.delete_object(Bucket=BUCKET, Key=odd)
    check("a deleted object is gone", refused("NoSuchKey", client.get_object, Key=odd))
    check("a parameter that the double does not know is refused", refused("NotImplemented", client.list_objects_v2, Delimiter="/"))


{"double": double}[sys.argv[1]](*sys.argv[2:])
