/** Which tokens were issued to whom. Like Google, and unlike the stand-in: unknown is refused, revoking ends all of it. */

export interface Grant {
  readonly email: string;
  readonly scopes: readonly string[];
  readonly refreshToken: string;
}

/** Google's access tokens live for an hour. */
const LIFETIME_MS = 3_600_000;

export class Grants {
  private readonly byRefreshToken = new Map<string, Grant>();
  private readonly accessTokens = new Map<string, { readonly grant: Grant; readonly until: number }>();

  constructor(private readonly now: () => Date) {}

  issued(accessToken: string, wanted: Grant): void {
    const grant = this.byRefreshToken.get(wanted.refreshToken) ?? wanted;
    this.byRefreshToken.set(grant.refreshToken, grant);
    this.accessTokens.set(accessToken, { grant, until: this.now().getTime() + LIFETIME_MS });
  }

  /** @param authorization the header's value */
  find(authorization: string | undefined): Grant | undefined {
    const token = /^Bearer (\S+)$/.exec(authorization ?? '')?.[1] ?? '';
    const known = this.accessTokens.get(token);
    return known !== undefined && known.until > this.now().getTime() ? known.grant : undefined;
  }

  /** Either token ends both, and every other access token of the grant. @returns the grant that ended */
  end(token: string): Grant | undefined {
    const ended = this.byRefreshToken.get(token) ?? this.accessTokens.get(token)?.grant;
    if (ended === undefined) return undefined;
    this.byRefreshToken.delete(ended.refreshToken);
    for (const [access, { grant }] of this.accessTokens)
      if (grant === ended) this.accessTokens.delete(access);
    return ended;
  }

  of(email: string): Grant[] {
    return [...this.byRefreshToken.values()].filter((grant) => grant.email === email);
  }

  expireAccessTokens(): void {
    this.accessTokens.clear();
  }
}
