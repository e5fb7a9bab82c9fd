# region create
import json, os, urllib.request
from urllib.parse import quote

URL = os.environ.get("CONNECT_URL", "https://connect.merchant.example")
KEY = {"Authorization": "Bearer " + os.environ["MERCHANT_API_KEY"]}


def create_session(customer, idempotency_key):
    """The client secret, for this customer's page and for no one else."""
    request = urllib.request.Request(
        URL + "/v1/sessions",
        data=json.dumps({
            "customer_id": customer["id"],
            "identity": {"first_name": customer["first_name"], "last_name": customer["last_name"]},
        }).encode(),
        headers={**KEY, "Content-Type": "application/json", "Idempotency-Key": idempotency_key},
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)["client_secret"]
# endregion


# region verify
def instrument_to_charge(connection_id, customer_id):
    """Raises unless the connection exists, belongs to this customer and is active.

    None while the bank confirms the account: take the order, and charge it on the webhook connection.active.
    """
    # Escaped: the id comes from the page, and must not lead to another path.
    request = urllib.request.Request(URL + "/v1/connections/" + quote(connection_id, safe=""), headers=KEY)
    with urllib.request.urlopen(request, timeout=30) as response:
        connection = json.load(response)
    if connection["customer_id"] != customer_id or connection["status"] not in ("active", "pending_verification"):
        raise ValueError("no usable bank account")
    return connection["payment_instrument"] if connection["status"] == "active" else None
# endregion


# region webhook
import base64, hashlib, hmac, time


def verify_webhook(body: bytes, headers, secret: str):
    """The event. Raises ValueError unless the server signed this body within the last five minutes."""
    message_id, timestamp = headers["webhook-id"], headers["webhook-timestamp"]
    if abs(time.time() - int(timestamp)) > 300:
        raise ValueError("timestamp outside of the tolerance")
    content = f"{message_id}.{timestamp}.".encode() + body
    for one in secret.split(","):
        key = base64.b64decode(one.removeprefix("whsec_"))
        expected = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
        for part in headers["webhook-signature"].split(" "):
            version, _, signature = part.partition(",")
            if version == "v1" and hmac.compare_digest(signature, expected):
                return json.loads(body)
    raise ValueError("no valid signature")
# endregion
