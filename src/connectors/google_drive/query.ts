/** The `q` of files.list, written by us alone (Drive guide, "Search query terms and operators"). Pure. */

/** The cap of shared/CONNECTORS.md, 4.3. */
export const LONGEST_QUERY = 2_048;

export interface Criteria {
  readonly text?: string;
  readonly name?: string;
  readonly mimeType?: string;
  readonly modifiedAfter?: string;
  readonly modifiedBefore?: string;
  /** Direct children of any of these. */
  readonly folders?: readonly string[];
  readonly trashed: boolean;
}

/** A text between single quotes; nothing in it can end them. */
export function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}

export function queryOf(criteria: Criteria): string {
  const { text, name, mimeType, modifiedAfter, modifiedBefore, folders = [], trashed } = criteria;
  const places = folders.map((folder) => `${quoted(folder)} in parents`).join(' or ');
  return [
    text === undefined ? [] : `fullText contains ${quoted(text)}`,
    name === undefined ? [] : `name contains ${quoted(name)}`,
    mimeType === undefined ? [] : `mimeType = ${quoted(mimeType)}`,
    modifiedAfter === undefined ? [] : `modifiedTime > ${quoted(modifiedAfter)}`,
    modifiedBefore === undefined ? [] : `modifiedTime < ${quoted(modifiedBefore)}`,
    folders.length === 0 ? [] : folders.length === 1 ? places : `(${places})`,
    `trashed = ${trashed}`,
  ]
    .flat()
    .join(' and ');
}

/** The query that finds what an execution created, by our own marker. */
export function markedQuery(key: string, value: string): string {
  return `appProperties has { key=${quoted(key)} and value=${quoted(value)} }`;
}
