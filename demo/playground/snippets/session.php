<?php
$curl = curl_init(getenv('CONNECT_URL') . '/v1/sessions');
curl_setopt_array($curl, [
    CURLOPT_RETURNTRANSFER => true,
    CURLOPT_HTTPHEADER => [
        'Authorization: Bearer ' . getenv('MERCHANT_API_KEY'),
        'Content-Type: application/json',
    ],
    CURLOPT_POSTFIELDS => '{"customer_id": "cus_1042"}',
]);
echo json_decode(curl_exec($curl))->client_secret;
