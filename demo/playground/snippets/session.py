import json
import os
import urllib.request

request = urllib.request.Request(
    os.environ["CONNECT_URL"] + "/v1/sessions",
    data=json.dumps({"customer_id": "cus_1042"}).encode(),
    headers={
        "Authorization": "Bearer " + os.environ["MERCHANT_API_KEY"],
        "Content-Type": "application/json",
    },
)
with urllib.request.urlopen(request) as response:
    print(json.load(response)["client_secret"])
