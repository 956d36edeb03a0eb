/** The address of a storage account. Pure. */
import type { JsonValue } from '../framework.js';

/** Endpoints of the public and the national clouds (Azure, "Storage account overview", "Standard endpoints"). */
const PUBLIC_HOST =
  /^([a-z0-9]{3,24})\.(?:z\d{1,3}\.)?blob\.(?:core\.windows\.net|core\.usgovcloudapi\.net|core\.chinacloudapi\.cn|storage\.azure\.net)$/;

/**
 * The account that an address names: its first label, or its only path segment where the host is not Azure's own
 * (Azurite, Azure Stack). Null for anything else.
 */
export function accountIn(address: string): string | null {
  if (!/^https?:\/\/[a-z0-9.:[\]-]+(?:\/[a-z0-9]*)?\/?$/i.test(address) || !URL.canParse(address))
    return null;
  const { hostname, pathname } = new URL(address);
  const path = /^\/([a-z0-9]{3,24})\/?$/.exec(pathname)?.[1];
  const label = PUBLIC_HOST.exec(hostname)?.[1];
  if (label !== undefined) return pathname === '/' ? label : null;
  return path ?? null;
}

/** Of a connection whose config was checked. */
export function accountOf(config: Readonly<Record<string, JsonValue>>): string {
  return accountIn(String(config.account_url)) ?? '';
}

export function accountUrlOf(config: Readonly<Record<string, JsonValue>>): string {
  return String(config.account_url).replace(/\/+$/, '');
}
