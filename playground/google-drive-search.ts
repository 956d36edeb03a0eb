/** The search terms of `files.list`, as far as people use them here (Drive guide, "Search query terms and operators"). */
import { z } from 'zod';

export const driveItem = z.looseObject({
  id: z.string(),
  name: z.string(),
  mimeType: z.string(),
  parents: z.array(z.string()).default([]),
  modifiedTime: z.string().default(''),
  trashed: z.boolean().default(false),
});
export type DriveItem = z.infer<typeof driveItem>;

type Test = (item: DriveItem, text: () => Promise<string>) => boolean | Promise<boolean>;

const wordsOf = (text: string): string[] => text.toLowerCase().split(/[^\p{L}\p{N}]+/u);
const isIn = (wanted: string, text: string): boolean =>
  wordsOf(wanted).every((word) => wordsOf(text).some((one) => one.startsWith(word)));

const QUOTED = String.raw`'((?:[^'\\]|\\.)*)'`;
const unquoted = (text = ''): string => text.replace(/\\(.)/gs, '$1');

/** Terms that can be answered, each with the test it stands for. */
const TERMS: readonly [RegExp, (found: readonly (string | undefined)[]) => Test][] = [
  [
    /^trashed = (true|false)$/,
    ([, value]) =>
      (item) =>
        item.trashed === (value === 'true'),
  ],
  [
    new RegExp(`^name contains ${QUOTED}$`, 's'),
    ([, wanted]) =>
      (item) =>
        isIn(unquoted(wanted), item.name),
  ],
  [
    new RegExp(`^fullText contains ${QUOTED}$`, 's'),
    ([, wanted]) =>
      async (item, text) =>
        isIn(unquoted(wanted), `${item.name} ${await text()}`),
  ],
  [
    new RegExp(`^mimeType (=|!=) ${QUOTED}$`),
    ([, sign, type]) =>
      (item) =>
        (item.mimeType === unquoted(type)) === (sign === '='),
  ],
  [
    new RegExp(`^modifiedTime (<|>) ${QUOTED}$`),
    ([, sign, moment]) =>
      (item) =>
        sign === '<'
          ? Date.parse(item.modifiedTime) < Date.parse(unquoted(moment))
          : Date.parse(item.modifiedTime) > Date.parse(unquoted(moment)),
  ],
  [
    new RegExp(`^\\(?${QUOTED} in parents(?: or ${QUOTED} in parents)*\\)?$`),
    ([term = '']) => {
      const folders = [...term.matchAll(new RegExp(QUOTED, 'g'))].map(([, folder]) => unquoted(folder));
      return (item) => item.parents.some((parent) => folders.includes(parent));
    },
  ],
];

/**
 * @param q terms joined by `and`; empty: everything
 * @param textOf the content of an item, `''` where it has no text
 * @returns the items that fit, or the name of the first term that cannot be answered
 */
export async function matchesAll(
  q: string,
  items: readonly DriveItem[],
  textOf: (item: DriveItem) => Promise<string>,
): Promise<readonly DriveItem[] | string> {
  const tests: Test[] = [];
  for (const term of termsOf(q)) {
    const known = TERMS.flatMap(([pattern, test]) => {
      const found = pattern.exec(term);
      return found ? [test(found)] : [];
    })[0];
    if (known === undefined) return /\w+(?: \w+)?/.exec(term.replace(/'[^']*'/g, ''))?.[0] ?? 'that';
    tests.push(known);
  }
  let fitting: readonly DriveItem[] = items;
  for (const test of tests) {
    const verdicts = await Promise.all(fitting.map((item) => test(item, () => textOf(item))));
    fitting = fitting.filter((_, index) => verdicts[index] === true);
  }
  return fitting;
}

/** Split at `and`, but not inside of quotes. */
function termsOf(q: string): string[] {
  return (q.match(/(?:'(?:[^'\\]|\\.)*'|(?! and ).)+/gs) ?? []).map((term) =>
    term.replace(/^and /, '').trim(),
  );
}
