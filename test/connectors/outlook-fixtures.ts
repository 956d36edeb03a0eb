/** What Graph answers about one mail and one event, as in its reference, and how a card line looks. */
export const short = (label: string, value: string) => ({ label, value, kind: 'short' });
export const person = (name: string) => ({
  emailAddress: { name, address: `${name.toLowerCase()}@siesta.example` },
});

/** As in the reference (message). */
export const LUNCH = {
  '@odata.etag': 'W/"CQAAABYAAAD"',
  id: 'AAkALg_1=',
  changeKey: 'CQAAABYAAAD',
  conversationId: 'AAQk_1=',
  parentFolderId: 'inbox_1',
  subject: 'Lunch?',
  from: person('Cleo'),
  toRecipients: [person('Ada')],
  ccRecipients: [person('Ben')],
  bccRecipients: [],
  replyTo: [],
  receivedDateTime: '2026-05-04T08:00:00Z',
  isRead: false,
  isDraft: false,
  hasAttachments: true,
  importance: 'normal',
  flag: { flagStatus: 'notFlagged' },
  categories: [],
  internetMessageId: '<1@siesta.example>',
  webLink: 'https://outlook.office365.com/owa/?ItemID=1',
  body: { contentType: 'text', content: 'At noon?' },
};
export const AT_LUNCH = 'GET /me/messages/AAkALg_1=';
export const MAIL = { to: ['ben@siesta.example'], subject: 'Lunch?', body: 'At noon?' };

/** As in the reference (event). */
export const PLANNING = {
  id: 'AAkEv_1=',
  subject: 'Planning',
  start: { dateTime: '2026-05-04T09:00:00.0000000', timeZone: 'Europe/Berlin' },
  end: { dateTime: '2026-05-04T10:00:00.0000000', timeZone: 'Europe/Berlin' },
  isAllDay: false,
  location: { displayName: 'Room 1' },
  organizer: person('Ada'),
  attendees: [
    { type: 'required', status: { response: 'accepted', time: '0001-01-01T00:00:00Z' }, ...person('Ben') },
  ],
  showAs: 'busy',
  type: 'singleInstance',
  isCancelled: false,
  isOnlineMeeting: true,
  onlineMeeting: { joinUrl: 'https://teams.example/1' },
  responseStatus: { response: 'organizer' },
  webLink: 'https://outlook.office365.com/owa/?itemid=1',
  body: { contentType: 'text', content: 'Agenda' },
};
export const AT_PLANNING = 'GET /me/events/AAkEv_1=';
