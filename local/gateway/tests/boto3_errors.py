"""Does boto3 understand the local gateway? Tries each call to a connection, and each error by its exception.

Starts the gateway as a user of another project would, in front of the functions of local/gateway/examples/echo. Needs
boto3 and websockets from PyPI; `.ci/run` runs it.

Usage: python3 local/gateway/tests/boto3_errors.py <path of the sam-gateway program>
"""

import json
import pathlib
import socket
import subprocess
import sys
import time
import urllib.request

import boto3
import botocore.config
import botocore.exceptions
from websockets.sync.client import connect

EXAMPLE = pathlib.Path(__file__).parent.parent / "examples" / "echo"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def set_faults(base, **faults):
    request = urllib.request.Request(f"{base}/@faults", json.dumps(faults).encode(), method="PUT")
    assert urllib.request.urlopen(request).status == 200


def client(endpoint):
    config = botocore.config.Config(retries={"total_max_attempts": 1}, proxies={})
    return boto3.client("apigatewaymanagementapi", endpoint_url=endpoint, region_name="us-east-1",
                        aws_access_key_id="local", aws_secret_access_key="local", config=config)


def expect(exception, status, call, **arguments):
    try:
        call(**arguments)
    except exception as error:
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == status, error.response
        return
    raise AssertionError(f"{exception} was not raised")


def check(base):
    assert json.load(urllib.request.urlopen(f"{base}/hello/world")) == {"hello": "world"}
    endpoint = f"{base}/prod"
    api = client(endpoint)
    errors = api.exceptions
    with connect(endpoint.replace("http:", "ws:"), proxy=None) as ws:
        ws.send("hello")
        connection = ws.recv().split(" said ")[0]
        api.post_to_connection(ConnectionId=connection, Data=b"from boto3")
        assert ws.recv() == "from boto3"
        about = api.get_connection(ConnectionId=connection)
        assert about["Identity"]["SourceIp"] == "127.0.0.1"
        assert about["ConnectedAt"] <= about["LastActiveAt"]

        post = {"ConnectionId": connection, "Data": b"x"}
        expect(errors.PayloadTooLargeException, 413, api.post_to_connection,
               ConnectionId=connection, Data=b"x" * (128 * 1024 + 1))
        expect(errors.ForbiddenException, 403, client(f"{base}/other").post_to_connection, **post)
        set_faults(base, fail_429=1)
        expect(errors.LimitExceededException, 429, api.post_to_connection, **post)
        set_faults(base, fail_410=1)
        expect(errors.GoneException, 410, api.post_to_connection, **post)
        set_faults(base, fail_500=1)
        expect(botocore.exceptions.ClientError, 500, api.post_to_connection, **post)
        set_faults(base)

        api.delete_connection(ConnectionId=connection)
        for _ in ws:
            raise AssertionError("a frame arrived after the connection was deleted")
        assert ws.protocol.close_code == 1000, ws.protocol.close_code
    for call in (api.get_connection, api.delete_connection):
        expect(errors.GoneException, 410, call, ConnectionId=connection)
    expect(errors.GoneException, 410, api.post_to_connection, **post)
    expect(errors.GoneException, 410, api.post_to_connection, ConnectionId="AAAAAAAAAAAAAAA=", Data=b"x")


def main():
    port = free_port()
    functions = subprocess.Popen([sys.executable, EXAMPLE / "functions.py", str(port)])
    gateway = subprocess.Popen(
        [sys.argv[1], "--invoke-url", f"http://127.0.0.1:{port}", "--port", "0", "--faults", "{}",
         "--template", EXAMPLE / "template.yaml"], stdout=subprocess.PIPE, text=True)
    try:
        while functions.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                time.sleep(0.02)
        base = next(line.split()[1] for line in gateway.stdout if line.strip().startswith("HTTP "))
        check(base)
    finally:
        gateway.terminate()
        functions.terminate()
    assert gateway.wait() == 0
    print("boto3 understands the local gateway.")


main()
