# server.py: the page and the back end of a shop, on the standard library. Run it with: python3 server.py
import json, os, uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.error import HTTPError
from urllib.parse import parse_qs, quote
from urllib.request import Request, urlopen

# From your own login, never from the request. The test banks of Plaid belong to Alberta Charleson.
CUSTOMER = {"id": "cus_1", "first_name": "Alberta", "last_name": "Charleson"}


def connect(method, path, body=None):
    """A call to the connect server, with the merchant key."""
    headers = {"Authorization": "Bearer " + os.environ["MERCHANT_API_KEY"], "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(os.environ["CONNECT_URL"] + path, data, headers, method=method), timeout=60) as response:
        return json.load(response)


class Shop(BaseHTTPRequestHandler):
    def do_GET(self):
        with open("index.html", encoding="utf-8") as page:
            self.answer(200, page.read(), "text/html")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
        try:
            answer = self.route(parse_qs(body))
        except HTTPError as error:
            print(f"{error}: {error.read().decode()}", flush=True)  # with code, detail and request_id
            answer = 502, "Please try again."
        except (OSError, ValueError) as error:  # no answer, or none of the connect server
            print(f"The connect server can't be reached: {error}", flush=True)
            answer = 502, "Please try again."
        self.answer(*answer)

    def route(self, form):
        if self.path == "/api/session":
            identity = {"first_name": CUSTOMER["first_name"], "last_name": CUSTOMER["last_name"]}
            session = connect("POST", "/v1/sessions", {"customer_id": CUSTOMER["id"], "identity": identity})
            return 200, json.dumps({"client_secret": session["client_secret"]}), "application/json"
        if self.path == "/checkout":
            return self.checkout(form.get("bank_account", [""])[0])
        return 404, ""

    def checkout(self, connection_id):
        # The id is a claim: charge only a connection that exists, is this customer's, and is active.
        path = "/v1/connections/" + quote(connection_id, safe="")
        try:
            connection = connect("GET", path)
        except HTTPError as error:
            if error.code != 404:
                raise
            return 402, "Please connect your bank again."
        if connection.get("customer_id") != CUSTOMER["id"]:
            return 402, "Please connect your bank again."
        if connection["status"] == "pending_verification":
            # The bank confirms the account first. Take the order, and charge it on the webhook connection.active.
            return 202, "Order placed. Your bank confirms your account within 1–2 business days; then we charge it."
        if connection["status"] != "active":
            return 402, "Please connect your bank again."
        attempt = {"amount": 4200, "client_transaction_id": str(uuid.uuid4())}  # cents; a new id for each attempt
        check = connect("POST", path + "/check", attempt)
        if check["decision"] != "ok":
            return 402, "Not charged: " + " ".join(reason["message"] for reason in check["reasons"])
        return 200, f"Charge {connection['payment_instrument']}: the check is {check['decision']}"

    def answer(self, status, body, content_type="text/plain"):
        self.send_response(status)
        self.send_header("Content-Type", content_type + "; charset=utf-8")
        self.end_headers()
        self.wfile.write(body.encode())


port = int(os.environ.get("PORT", "8000"))
server = ThreadingHTTPServer(("127.0.0.1", port), Shop)
print(f"http://localhost:{port}", flush=True)
server.serve_forever()
