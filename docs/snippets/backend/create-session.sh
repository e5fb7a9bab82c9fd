curl "$CONNECT_URL/v1/sessions" \
  -H "Authorization: Bearer $MERCHANT_API_KEY" \
  -H 'Content-Type: application/json' \
  -H 'Idempotency-Key: order-1234-attempt-1' \
  -d '{"customer_id": "cus_1", "identity": {"first_name": "Jane", "last_name": "Doe", "email": "jane@example.com"}}'
