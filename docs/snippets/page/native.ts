// #region connect
import { Platform } from 'react-native';
import { createPlaidLinkSession } from 'react-native-plaid-link-sdk';

export async function connectBank(endpoint: string, clientSecret: string) {
  const id = clientSecret.split('_secret_')[0];
  const call = async (path: string, body: object) => {
    const response = await fetch(`${endpoint}/v1/sessions/${id}${path}`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${clientSecret}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    const answer = await response.json();
    if (!response.ok) throw Object.assign(new Error(answer.detail), { problem: answer });
    return answer;
  };
  const app =
    Platform.OS === 'ios'
      ? { redirect_uri: 'https://shop.example/bank' }
      : { android_package_name: 'com.example.shop' };
  const { link_token } = await call('/link-token', { platform: 'react_native', ...app });
  return new Promise((resolve, reject) => {
    createPlaidLinkSession({
      token: link_token,
      onSuccess: ({ publicToken, metadata }) =>
        call('/complete', {
          public_token: publicToken,
          accounts: metadata.accounts.map((account) => ({
            id: account.id,
            name: account.name,
            mask: account.mask,
            type: account.type,
            subtype: account.subtype,
          })),
          institution: metadata.institution && {
            institution_id: metadata.institution.id,
            name: metadata.institution.name,
          },
          link_session_id: metadata.linkSessionId,
        }).then(resolve, reject),
      onExit: ({ error }) => (error ? reject(error) : resolve(undefined)),
    }).then((session) => session.open());
  });
}
// #endregion
