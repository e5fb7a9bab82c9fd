"""Generates a Python client from the published contract and runs it. Standard library only: `generate.py openapi.json endpoint key`."""

import json
import re
import sys
import urllib.error
import urllib.request

document_path, endpoint, key = sys.argv[1:]
with open(document_path, encoding="utf-8") as file:
    document = json.load(file)


def snake(name):
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def function_for(path, method, operation):
    """The source of one function: path parameters and a body are positional, query and headers by name."""
    parameters = [resolve(parameter) for parameter in operation["parameters"]]
    in_path = [p["name"] for p in parameters if p["in"] == "path"]
    optional = [p for p in parameters if p["in"] in ("query", "header")]
    arguments = in_path + (["body=None"] if "requestBody" in operation else [])
    arguments += [f"{snake(p['name'].replace('-', '_'))}=None" for p in optional]
    query = {p["name"]: snake(p["name"].replace("-", "_")) for p in optional if p["in"] == "query"}
    headers = {p["name"]: snake(p["name"].replace("-", "_")) for p in optional if p["in"] == "header"}
    pairs = lambda names: "{" + ", ".join(f"{name!r}: {variable}" for name, variable in names.items()) + "}"
    url = re.sub(r"\{(\w+)\}", lambda m: "{quote(" + m[1] + ", safe='')}", path)
    return (
        f"def {snake(operation['operationId'])}({', '.join(arguments)}):\n"
        f"    \"\"\"{operation['summary']}\"\"\"\n"
        f"    return call({method.upper()!r}, f{url!r}, {'body' if 'requestBody' in operation else None}, "
        f"{pairs(query)}, {pairs(headers)})\n"
    )


def resolve(thing):
    for part in thing.get("$ref", "#").split("/")[1:]:
        thing = document[part] if thing.get("$ref") else thing[part]
    return thing


HEAD = '''
import json, urllib.error, urllib.request
from urllib.parse import quote, urlencode

class Problem(Exception):
    def __init__(self, body):
        super().__init__(body["detail"])
        self.code, self.status, self.action = body["code"], body["status"], body["action"]

def call(method, path, body, query, headers):
    given = {name: value for name, value in query.items() if value is not None}
    sent = {name: value for name, value in headers.items() if value is not None}
    request = urllib.request.Request(ENDPOINT + path + ("?" + urlencode(given) if given else ""), method=method)
    for name, value in {**sent, "Authorization": "Bearer " + KEY, "Content-Type": "application/json"}.items():
        request.add_header(name, value)
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(request, data) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        raise Problem(json.load(error)) from None
'''

source = HEAD + "\n".join(
    function_for(path, method, operation)
    for path, methods in document["paths"].items()
    for method, operation in methods.items()
)
client = {"ENDPOINT": endpoint, "KEY": key}
exec(compile(source, "client.py", "exec"), client)

session = client["create_session"]({"customer_id": "cus_1"}, idempotency_key="order-1")
same = client["create_session"]({"customer_id": "cus_1"}, idempotency_key="order-1")
assert same == session
read = client["get_session"](session["id"])
canceled = client["cancel_session"](session["id"])
listed = client["list_connections"](status="active", limit=1)
try:
    client["get_connection"]("../sessions/x")
except client["Problem"] as problem:
    print(session["object"], read["status"], canceled["status"], len(listed["data"]), problem.code, problem.status)
