/** How Google says no. */
import { type Answer, json } from './loopback.js';

/** Errors as google.rpc.Status has them. */
function googleError(code: number, message: string, status: string, reason: string): Answer {
  const details = [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain: 'googleapis.com' }];
  return json(code, {
    error: { code, message, status, errors: [{ domain: 'global', reason, message }], details },
  });
}

export function unauthenticated(): Answer {
  const message = 'Request had invalid authentication credentials.';
  return googleError(401, message, 'UNAUTHENTICATED', 'ACCESS_TOKEN_EXPIRED');
}

export function insufficientScopes(): Answer {
  const message = 'Request had insufficient authentication scopes.';
  return googleError(403, message, 'PERMISSION_DENIED', 'ACCESS_TOKEN_SCOPE_INSUFFICIENT');
}

/** What `drive.file` alone says about a file that another app or a person made. */
export function notAuthorizedToFile(id: string): Answer {
  const message = `The user has not granted the app write access to the file ${id}.`;
  return googleError(403, message, 'PERMISSION_DENIED', 'appNotAuthorizedToFile');
}

export function notFound(what: string): Answer {
  return googleError(404, `${what} not found.`, 'NOT_FOUND', 'notFound');
}

/** RFC 9110, 15.6.2: it was not done, and asking again does not help. @param what `GET files/export` */
export function lacking(what: string): Answer {
  const message = `The playground's stand-in for Google has no ${what}. With a real Google account it works.`;
  return googleError(501, message, 'UNIMPLEMENTED', 'notImplemented');
}
