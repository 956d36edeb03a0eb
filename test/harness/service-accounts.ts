/**
 * A token endpoint for service accounts on loopback: it takes a signed assertion (RFC 7523) and nothing else, and is as
 * strict as Google says it is ("Using OAuth 2.0 for server to server applications"). `jose` verifies, not our code.
 */
import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { type JWTPayload, jwtVerify } from 'jose';
import { json, listen } from '../../playground/loopback.js';

export const SERVICE_ACCOUNT = 'robot@fake-project.iam.gserviceaccount.com';
const AUDIENCE = 'https://oauth2.googleapis.com/token';
const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const HOUR = 3_600;

export type ServiceAccounts = Awaited<ReturnType<typeof startServiceAccounts>>;

export async function startServiceAccounts() {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey;
  const assertions: (JWTPayload & { readonly scope?: unknown; readonly kid: string | undefined })[] = [];
  const refused: string[] = [];
  const issued = new Map<string, string>();
  const answer = async (form: URLSearchParams) => {
    if (form.get('grant_type') !== GRANT || form.has('client_id') || form.has('client_secret'))
      return json(400, { error: 'unsupported_grant_type' });
    try {
      const { payload, protectedHeader } = await jwtVerify(form.get('assertion') ?? '', publicKey, {
        algorithms: ['RS256'],
        typ: 'JWT',
        issuer: SERVICE_ACCOUNT,
        audience: AUDIENCE,
        requiredClaims: ['iat', 'exp', 'scope'],
        maxTokenAge: HOUR,
      });
      if ((payload.exp ?? 0) - (payload.iat ?? 0) > HOUR) throw new Error('longer than an hour');
      assertions.push({ ...payload, kid: protectedHeader.kid });
      const token = `fake-minted-${randomUUID()}`;
      issued.set(token, payload.sub ?? SERVICE_ACCOUNT);
      // Google says neither the scopes nor a refresh token.
      return json(200, { access_token: token, expires_in: HOUR - 1, token_type: 'Bearer' });
    } catch (error) {
      refused.push(String(error));
      return json(400, { error: 'invalid_grant', error_description: 'Invalid JWT Signature.' });
    }
  };
  const server = await listen(
    0,
    (request) => answer(new URLSearchParams(request.body)),
    { delay: 0, fail: undefined },
    () => true,
  );
  return {
    token: `${server.origin}/token`,
    host: new URL(server.origin).host,
    /** Claims of what it has taken. */
    assertions,
    refused,
    /** Every token, and whom it stands for. */
    issued,
    accepts: async (token: string) => issued.has(token),
    keyFile: keyFile(privateKey),
    /** Of another key than the account has. */
    strangersKeyFile: keyFile(stranger),
    /** Looks like a key and is none. */
    damagedKeyFile: JSON.stringify({
      ...(JSON.parse(keyFile(privateKey)) as object),
      private_key: '-----BEGIN PRIVATE KEY-----\nfake\n-----END PRIVATE KEY-----\n',
    }),
    close: () => server.close(),
  };
}

/** As the Google Cloud console gives it out. */
function keyFile(key: KeyObject): string {
  return JSON.stringify({
    type: 'service_account',
    project_id: 'fake-project',
    private_key_id: 'fake-key-id-1',
    private_key: key.export({ type: 'pkcs8', format: 'pem' }),
    client_email: SERVICE_ACCOUNT,
    client_id: '1',
    token_uri: 'https://attacker.example.com/token',
  });
}
