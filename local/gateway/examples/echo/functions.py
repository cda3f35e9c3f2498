"""Two Lambda functions, and thirty lines that serve them over Lambda's Invoke API as `sam local start-lambda` would.

    python3 local/gateway/examples/echo/functions.py 9001
    cargo run -p sam-gateway -- --invoke-url http://127.0.0.1:9001 --template local/gateway/examples/echo/template.yaml
    curl http://localhost:3000/hello/world
"""

import http.server
import json
import sys


def hello(event):
    return {"hello": event["pathParameters"]["name"]}


def echo(event):
    context = event["requestContext"]
    return {"statusCode": 200, "body": f"{context['connectionId']} said {event['body']}"}


class InvokeApi(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        # /2015-03-31/functions/<logical id>/invocations
        function = {"Hello": hello, "Echo": echo}[self.path.split("/")[3]]
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        failed = False
        try:
            answer = function(event)
        except Exception as error:
            failed, answer = True, {"errorType": type(error).__name__, "errorMessage": str(error)}
        body = json.dumps(answer).encode()
        self.send_response(200)
        if failed:
            self.send_header("X-Amz-Function-Error", "Unhandled")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    address = ("127.0.0.1", int(sys.argv[1]))
    http.server.ThreadingHTTPServer(address, InvokeApi).serve_forever()
