<?php
// #region create
function call(string $method, string $path, ?array $body = null, array $headers = []): array {
    $curl = curl_init((getenv('CONNECT_URL') ?: 'https://connect.merchant.example') . $path);
    curl_setopt_array($curl, [
        CURLOPT_CUSTOMREQUEST => $method,
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_TIMEOUT => 30,
        CURLOPT_HTTPHEADER => [
            'Authorization: Bearer ' . getenv('MERCHANT_API_KEY'),
            'Content-Type: application/json',
            ...$headers,
        ],
    ]);
    if ($body !== null) curl_setopt($curl, CURLOPT_POSTFIELDS, json_encode($body));
    $text = curl_exec($curl);
    $status = curl_getinfo($curl, CURLINFO_RESPONSE_CODE);
    $answer = json_decode((string) $text, true);
    if ($status >= 300 || !is_array($answer)) throw new RuntimeException($answer['code'] ?? "HTTP $status");
    return $answer;
}

/** The client secret, for this customer's page and for no one else. */
function create_session(array $customer, string $idempotencyKey): string {
    $identity = ['first_name' => $customer['first_name'], 'last_name' => $customer['last_name']];
    $body = ['customer_id' => $customer['id'], 'identity' => $identity];
    return call('POST', '/v1/sessions', $body, ["Idempotency-Key: $idempotencyKey"])['client_secret'];
}
// #endregion

// #region verify
/**
 * Throws unless the connection exists, belongs to this customer and is active. Null while the bank confirms the account:
 * take the order, and charge it on the webhook connection.active.
 */
function instrument_to_charge(string $connectionId, string $customerId): ?string {
    $connection = call('GET', '/v1/connections/' . rawurlencode($connectionId));
    $isOwn = $connection['customer_id'] === $customerId;
    if (!$isOwn || !in_array($connection['status'], ['active', 'pending_verification'], true)) {
        throw new RuntimeException('no usable bank account');
    }
    return $connection['status'] === 'active' ? $connection['payment_instrument'] : null;
}
// #endregion

// #region webhook
/** The event. Throws unless the server signed this body within the last five minutes. */
function verify_webhook(string $body, array $headers, string $secrets): array {
    // PHP's getallheaders() keeps the spelling of the request.
    $headers = array_change_key_case($headers);
    ['webhook-id' => $id, 'webhook-timestamp' => $timestamp, 'webhook-signature' => $signatures] = $headers;
    if (abs(time() - (int) $timestamp) > 300) throw new RuntimeException('timestamp outside of the tolerance');
    foreach (explode(',', $secrets) as $secret) {
        $key = base64_decode(substr($secret, strlen('whsec_')));
        $expected = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $key, true));
        foreach (explode(' ', $signatures) as $signature) {
            if (hash_equals($expected, $signature)) return json_decode($body, true);
        }
    }
    throw new RuntimeException('no valid signature');
}
// #endregion
