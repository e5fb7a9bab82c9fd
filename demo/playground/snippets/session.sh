curl "$CONNECT_URL/v1/sessions" \
  -H "Authorization: Bearer $MERCHANT_API_KEY" \
  -H 'Content-Type: application/json' \
  -d '{"customer_id": "cus_1042"}'
