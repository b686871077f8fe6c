"""The client office365-rest-python-client against our double of Microsoft Graph.

  graph.py URL TENANT CLIENT_ID CLIENT_SECRET DRIVE FILE    FILE is uploaded to the folder Reports/2026 of the library

Prints one line per check; ends with 1 at the first that fails.
"""

import os
import pathlib
import sys

import requests
from office365.graph_client import GraphClient
from office365.graph_request import GraphRequest
from office365.onedrive.driveitems.uploadable_properties import DriveItemUploadableProperties
from office365.runtime.client_request_exception import ClientRequestException

# The least size of a piece, and what every size is a multiple of.
PIECE = 320 * 1024


def check(what, holds, why=""):
    print(("ok      " if holds else "FAILED  ") + what + (f": {why}" if not holds else ""), flush=True)
    if not holds:
        sys.exit(1)


def refused(call):
    """Status and code of a refusal."""
    try:
        call()
    except ClientRequestException as error:
        return error.response.status_code, error.code
    return None


def main(url, tenant, client_id, secret, drive_id, path):
    # The client itself; only the address of Graph is the one of the double.
    GraphRequest.service_root_url = property(lambda self: f"{url}/v1.0")

    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret, "scope": f"{url}/.default"}
    answer = requests.post(f"{url}/{tenant}/oauth2/v2.0/token", data=form, timeout=30)
    token = answer.json()
    check("a token of the application", answer.status_code == 200 and token["token_type"] == "Bearer", answer.text)
    wrong = requests.post(f"{url}/{tenant}/oauth2/v2.0/token", data={**form, "client_secret": "x"}, timeout=30)
    check("a wrong secret is refused", (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client"), wrong.text)

    client = GraphClient(token_callback=lambda: token)
    drive = client.drives[drive_id].get().execute_query()
    check("the library has its name", drive.name == "Reports", drive.name)
    missing = refused(lambda: client.drives["b!other"].get().execute_query())
    check("another library is not found", missing == (404, "itemNotFound"), missing)

    folder = drive.root.get_by_path("Reports/2026")
    sent = []
    file = folder.resumable_upload(path, chunk_size=PIECE, chunk_uploaded=sent.append).execute_query()
    size = os.path.getsize(path)
    pieces = [min(end, size) for end in range(PIECE, size + PIECE, PIECE)]
    check("the file is sent in pieces of 320 KiB", sent == pieces, sent)
    name = pathlib.Path(path).name
    found = drive.root.get_by_path(f"Reports/2026/{name}").get().execute_query()
    check("the file is found by its path", (found.name, bool(found.id)) == (name, True), found.properties)
    check("its size is not the one that was sent", found.properties["size"] == size + 11, found.properties)

    target = drive.root.get_by_path(f"Reports/2026/{name}")
    fails = refused(lambda: target.create_upload_session(DriveItemUploadableProperties(name=name)).execute_query())
    check("by default a file that is there is a conflict", fails == (409, "nameAlreadyExists"), fails)
    other = drive.root.get_by_path("Reports/2026/Other.pdf")
    session = other.create_upload_session(DriveItemUploadableProperties(name="Other.pdf")).execute_query().value
    second = refused(lambda: other.create_upload_session(DriveItemUploadableProperties(name="Other.pdf")).execute_query())
    check("while a session is open there is no second one", second == (409, "nameAlreadyExists"), second)
    state = requests.get(session.uploadUrl, timeout=30).json()
    check("a session says what it expects", state["nextExpectedRanges"] == ["0-"], state)
    signed = requests.put(
        session.uploadUrl,
        data=b"x",
        headers={"Authorization": "Bearer " + token["access_token"], "Content-Range": "bytes 0-0/1"},
        timeout=30,
    )
    check("an upload address takes no token", signed.status_code == 401, signed.status_code)
    odd = requests.put(session.uploadUrl, data=b"x" * 1000, headers={"Content-Range": "bytes 0-999/5000"}, timeout=30)
    check("a piece of another size is refused", odd.status_code == 400, odd.text)
    ended = requests.delete(session.uploadUrl, timeout=30)
    gone = requests.get(session.uploadUrl, timeout=30)
    check("a session that is cancelled is gone", (ended.status_code, gone.status_code) == (204, 404), gone.text)


if __name__ == "__main__":
    main(*sys.argv[1:])
