curl "$CONNECT_URL/v1/connections/$CONNECTION_ID" -H "Authorization: Bearer $MERCHANT_API_KEY"
