"""AWS's own Python client against our double of Amazon SES: what it takes and what it refuses.

  ses.py double ENDPOINT_URL REGION ACCESS_KEY_ID SECRET_ACCESS_KEY SESSION_TOKEN

Prints one line per check; ends with 1 at the first that fails.
"""

import email.header
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError


def check(what, holds):
    print(("ok      " if holds else "FAILED  ") + what, flush=True)
    if not holds:
        sys.exit(1)


def double(url, region, key, secret, token):
    client = boto3.client(
        "sesv2",
        endpoint_url=url,
        region_name=region,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=Config(retries={"max_attempts": 0}),
    )

    def send(to=("s@example.com",), subject="Sales", sender="alerts@example.com", headers=(), **more):
        return client.send_email(
            FromEmailAddress=sender,
            Destination={"ToAddresses": list(to)},
            Content={
                "Simple": {
                    "Subject": {"Data": subject, "Charset": "UTF-8"},
                    "Body": {"Text": {"Data": "text"}, "Html": {"Data": "<p>text</p>"}},
                    "Headers": [{"Name": name, "Value": value} for name, value in headers],
                }
            },
            **more,
        )

    def refused(code, **arguments):
        try:
            send(**arguments)
        except ClientError as error:
            return error.response["Error"]["Code"] == code
        return False

    subject = email.header.Header("Größe", "utf-8").encode()
    # Python writes the name of the character set in small letters.
    subject = subject.replace("=?utf-8?b?", "=?UTF-8?B?")
    thread = [("References", "<a@example.com>")]
    sent = send(subject=subject, headers=thread, ConfigurationSetName="alerts")
    check("a mail is taken and has an id", bool(sent["MessageId"]))
    check("an unverified sender is refused", refused("MessageRejected", sender="a@example.net"))
    check("the sandbox refuses other recipients", refused("MessageRejected", to=["a@example.org"]))
    check("an unknown set is refused", refused("NotFoundException", ConfigurationSetName="other"))
    check("51 recipients are refused", refused("BadRequestException", to=["s@example.com"] * 51))
    check("a subject has seven bits", refused("BadRequestException", subject="Größe"))
    check("a header has no line break", refused("BadRequestException", headers=[("X", "a\r\nBcc: b")]))
    check("an address has no space", refused("BadRequestException", to=["pat smith@example.com"]))


{"double": double}[sys.argv[1]](*sys.argv[2:])
