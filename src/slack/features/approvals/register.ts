import type { BlockButtonAction, ViewSubmitAction } from '@slack/bolt';
import type { Register } from '../../edge.js';
import { ACTIONS, VIEWS } from '../../ids.js';
import { approveClicked, denyClicked, denySubmitted, detailsClicked, pageTurned } from './handlers.js';

export const registerApprovals: Register = (edge) => {
  const { app } = edge;
  app.action<BlockButtonAction>(ACTIONS.approve, approveClicked(edge));
  app.action<BlockButtonAction>(ACTIONS.deny, denyClicked(edge));
  app.action<BlockButtonAction>(ACTIONS.details, detailsClicked(edge));
  app.action<BlockButtonAction>(ACTIONS.pageBack, pageTurned(edge));
  app.action<BlockButtonAction>(ACTIONS.pageOn, pageTurned(edge));
  app.view<ViewSubmitAction>(VIEWS.approvalDeny, denySubmitted(edge));
};
