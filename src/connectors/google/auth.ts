/** How connections to Google sign in: a person's consent, or a service account's key. */
import { createPrivateKey } from 'node:crypto';
import { z } from 'zod';
import type { AuthMethod, FormField, JsonValue } from '../framework.js';

/** The members of a key file that are used (Google Cloud, "Create and delete service account keys"). */
const keyFile = z.object({
  type: z.literal('service_account'),
  client_email: z.email(),
  private_key: z.string().startsWith('-----BEGIN PRIVATE KEY-----'),
  private_key_id: z.string().max(200).optional(),
});

/** Config field of connections that may act for a person of the domain (domain-wide delegation). */
export const impersonateField: FormField = {
  name: 'impersonate',
  label: 'Act for (service account only)',
  kind: 'text',
  optional: true,
  hint: 'Address of the account that the service account stands in for; needs domain-wide delegation.',
  placeholder: 'support@example.com',
};
export const impersonate = z.exactOptional(z.email('is not a mail address').max(254));

function readKeyFile(text: string): z.infer<typeof keyFile> | null {
  try {
    const parsed = keyFile.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

function isPrivateKey(pem: string | undefined): boolean {
  try {
    return pem !== undefined && createPrivateKey(pem).asymmetricKeyType === 'rsa';
  } catch {
    return false;
  }
}

const TOKEN = 'https://oauth2.googleapis.com/token';

/** @param why why a service account is the better shared identity for this connector */
export function googleAuth(why: string): readonly AuthMethod[] {
  return [
    {
      id: 'oauth',
      kind: 'oauth',
      title: 'Sign in with Google',
      provider: 'google',
      baseScopes: ['openid', 'email'],
      recommended: { identity: 'private', why: 'each member allows it herself and can take it back' },
    },
    {
      id: 'service_account_key',
      kind: 'minted',
      title: 'Service account key',
      identities: ['shared'],
      recommended: { identity: 'shared', why },
      fields: [
        {
          name: 'service_account_key',
          label: 'Service account key (JSON)',
          kind: 'secret_multiline',
          hint: 'The whole key file from the Google Cloud console.',
        },
      ],
      check: ({ service_account_key: text = '' }) =>
        isPrivateKey(readKeyFile(text)?.private_key)
          ? undefined
          : 'That is not the JSON key file of a service account.',
      secretsIn: ({ service_account_key: text = '' }) => {
        const key = readKeyFile(text)?.private_key;
        return key === undefined ? [] : [key, key.replace(/-----[A-Z ]+-----|\s/g, '')];
      },
      accountOf: ({ service_account_key: text = '' }, config) =>
        accountOf(readKeyFile(text)?.client_email ?? '', config),
      mint({ service_account_key: text = '' }, config, scopes, endpoint) {
        const key = readKeyFile(text);
        if (!key) throw new Error('the stored service account key cannot be read');
        const base = endpoint('google', '');
        const token = endpoint('google.token', base === '' ? TOKEN : `${base}/oauth2/token`);
        return {
          grant: 'jwt_bearer',
          token,
          issuer: key.client_email,
          // Google compares it with its own address, whatever stand-in is asked.
          audience: TOKEN,
          privateKey: key.private_key,
          scopes,
          ...(key.private_key_id === undefined ? {} : { keyId: key.private_key_id }),
          ...(typeof config.impersonate === 'string' ? { subject: config.impersonate } : {}),
        };
      },
    },
  ];
}

function accountOf(clientEmail: string, config: Readonly<Record<string, JsonValue>>): string {
  return typeof config.impersonate === 'string' ? `${config.impersonate} (by ${clientEmail})` : clientEmail;
}
