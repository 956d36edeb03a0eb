/** Permissions of Drive as callers and approvers see them. Pure. */
import { type JsonObject, textOf, textOrNull } from '../json.js';

export const PERMISSION_FIELDS = 'id,type,role,emailAddress,domain,displayName';

/** `{id, type, role, email, domain, name}` */
export function permissionOf(permission: JsonObject): JsonObject {
  return {
    id: textOf(permission.id),
    type: textOf(permission.type),
    role: textOf(permission.role),
    email: textOrNull(permission.emailAddress),
    domain: textOrNull(permission.domain),
    name: textOrNull(permission.displayName),
  };
}

/** Whom a permission is for, in words. */
export function granteeOf(permission: JsonObject): string {
  const { type } = permission;
  if (type === 'anyone') return 'Anyone with the link';
  if (type === 'domain') return `Everybody at ${textOf(permission.domain)}`;
  return textOf(permission.emailAddress) || textOf(permission.displayName) || textOf(permission.id);
}
