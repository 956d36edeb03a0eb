/**
 * Hosts that are not what they look like: of links and addresses within somebody's text. Look-alike letters, a name
 * before an `@`, a number instead of a name; what reads as what it is gets no remark. Pure.
 */
import { hostOf, visible } from '../inert.js';

/** RFC 3986, 3.1; no scheme that leads anywhere is longer. */
const SCHEME = /[a-z][a-z0-9+.-]{0,30}$/i;
const AUTHORITY = /^[^/?#\\<>"|]*/;
const CLOSING = /[)\]}'’”»,;.:!]+$/;
/** Of what stands before the path: a name, and a user part. */
const LONGEST = 4_096;
/** Of one text. */
const MOST = 100;
/** The end of a host says whose it is. */
const SHOWN = 100;

const LATIN = /\p{Script=Latin}/u;
/** Scripts with letters that look like Latin ones. */
const ALIKE =
  /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}\p{Script=Coptic}\p{Script=Lisu}]/u;
/** What no name has in it. */
const BETWEEN = /[^\p{L}\p{M}\p{N}.-]+/u;
/** RFC 1035, 2.3.4. */
const LONGEST_NAME = 253;

interface Named {
  /** As it stands in the text. */
  readonly text: string;
  readonly host: string;
}

function withoutPort(authority: string): string {
  return authority.replace(/:\d*$/, '');
}

/** `https://bank.example@evil.example` in a word of any kind: as it reads, and where it leads. */
function* linksIn(word: string): Generator<Named> {
  for (let at = word.indexOf('://'); at >= 0; at = word.indexOf('://', at + 3)) {
    const scheme = SCHEME.exec(word.slice(Math.max(0, at - 31), at))?.[0];
    const authority = AUTHORITY.exec(word.slice(at + 3, at + 3 + LONGEST))?.[0].replace(CLOSING, '') ?? '';
    const host = scheme ? hostOf(`${scheme}://${authority}`) : null;
    if (host !== null && host !== withoutPort(authority).toLowerCase()) yield { text: authority, host };
  }
}

/** A name or an address without a scheme, of which some letters are not what they look like. */
function* namesIn(word: string): Generator<Named> {
  if (!LATIN.test(word) || !ALIKE.test(word)) return;
  for (const name of word.split(BETWEEN)) {
    const isName = name.includes('.') && name.length <= LONGEST_NAME;
    if (!isName || !LATIN.test(name) || !ALIKE.test(name)) continue;
    const host = hostOf(`https://${name}`);
    if (host !== null && host !== name.toLowerCase()) yield { text: name, host };
  }
}

export const ended = (text: string): string => {
  const characters = [...text];
  return characters.length > SHOWN ? `…${characters.slice(1 - SHOWN).join('')}` : text;
};

/** Nothing but space ends a word, so that no mark within a link hides where it leads. */
const WORD = /\S+/g;

/** What there is to say about hosts in a text, each once: `leads to xn--bnk-6cd.example, and reads bаnk.example`. */
export function hostRemarks(text: string): readonly string[] {
  const remarks = new Set<string>();
  for (const [word] of text.matchAll(WORD)) {
    const links = word.includes('://') ? [...linksIn(word)] : [];
    for (const { text: reads, host } of links.length > 0 ? links : namesIn(word)) {
      remarks.add(`leads to ${ended(visible(host))}, and reads ${ended(reads)}`);
      if (remarks.size >= MOST)
        return [...remarks, `more than ${MOST} such links: the rest was not looked at`];
    }
  }
  return [...remarks];
}
