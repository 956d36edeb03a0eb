/** How each kind of outbox row is drawn from the current state of what it is about. */
import { approvalMessage } from '../../blocks/approval-card.js';
import { authorizationMessage, codeMessage } from '../../blocks/authorization.js';
import { noticeMessage } from '../../blocks/notices.js';
import { reminderMessage } from '../../blocks/reminder.js';
import { SENT_PATIENCE_MS } from '../services/card-marks.js';
import { cardVersion } from '../services/card-repair.js';
import type { Dependencies } from '../services/dependencies.js';
import type { Services } from '../services/index.js';
import { approvalCard } from './approval-view.js';
import { authorizationDm } from './authorization-view.js';
import type { Drawers } from './delivery.js';
import { waitingRows } from './features/home/waiting.js';
import { reportPicture } from './report-picture.js';

export function createDrawers(services: Services, deps: Dependencies): Drawers {
  return {
    approval: async (row) => {
      const found = await approvalCard(row.subjectId, services, deps, SENT_PATIENCE_MS);
      return found ? { ...approvalMessage(found.card), version: cardVersion(found) } : null;
    },
    authorization: async (row) => {
      const dm = await authorizationDm(row.subjectId, services, deps);
      return dm ? { ...authorizationMessage(dm), version: 0 } : null;
    },
    oauth_code: async (row) => {
      const found = await services.authorizationFlow.codeOf(row.subjectId);
      if (!found) return null;
      const { flow, code } = found;
      const connection = await deps.models.connections
        .findOne({ _id: flow.connectionId, workspaceId: deps.workspaceId })
        .lean();
      const { account, expiresAt, status } = flow;
      const connectionName = connection?.name ?? 'the connection';
      return {
        ...codeMessage({ connectionName, account, code, finished: status === 'finished', expiresAt }),
        version: 0,
      };
    },
    reminder: async ({ to }) => {
      const list = await waitingRows({ services, deps }, to);
      return list.rows.length > 0 ? { ...reminderMessage(list), version: 0 } : null;
    },
    notice: async ({ message }) => {
      if (!message) return null;
      const picture = message.kind === 'load_report' ? { picture: reportPicture(message.report) } : {};
      return { ...noticeMessage(message), ...picture, version: 0 };
    },
  };
}
