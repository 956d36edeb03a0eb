/** What Graph answers about one file and its folder. */
/** As in the reference (driveItem), without the members that nobody reads. */
export const REPORT = {
  id: '01REPORT',
  name: 'Report.txt',
  size: 6,
  eTag: '"{A1},3"',
  webUrl: 'https://contoso.sharepoint.com/Shared%20Documents/Plans/Report.txt',
  file: { mimeType: 'text/plain', hashes: { quickXorHash: 'x' } },
  parentReference: { driveId: 'b!1', path: '/drives/b!1/root:/Plans%20A', id: '01PLANS' },
  lastModifiedBy: { user: { displayName: 'Cleo Marchetti', email: 'cleo@siesta.example' } },
  lastModifiedDateTime: '2026-05-04T08:00:00Z',
  '@microsoft.graph.downloadUrl': 'https://contoso.sharepoint.com/download?tempauth=fake-secret-canary-1',
};
export const FOLDER = {
  id: '01PLANS',
  name: 'Plans A',
  webUrl: 'https://contoso.sharepoint.com/Shared%20Documents/Plans%20A',
  folder: { childCount: 1 },
  parentReference: { driveId: 'b!1', path: '/drives/b!1/root:' },
};
export const report = { drive_id: 'b!1', item_id: '01REPORT' };
export const AT_REPORT = 'GET /drives/b!1/items/01REPORT';

export const SHOWN = {
  drive_id: 'b!1',
  id: '01REPORT',
  name: 'Report.txt',
  type: 'file',
  size: 6,
  mime_type: 'text/plain',
  child_count: null,
  folder: '/Plans A',
  url: REPORT.webUrl,
  modified_by: 'Cleo Marchetti <cleo@siesta.example>',
  modified_at: '2026-05-04T08:00:00Z',
  etag: '"{A1},3"',
};
