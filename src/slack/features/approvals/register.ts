import type { BlockButtonAction, ViewSubmitAction } from '@slack/bolt';
import type { Register } from '../../edge.js';
import { ACTIONS, VIEWS } from '../../ids.js';
import { registerAttention } from './attention.js';
import { registerBatch } from './batch.js';
import { registerEdit } from './edit.js';
import {
  approveClicked,
  denyClicked,
  denySubmitted,
  detailsClicked,
  pageTurned,
  proofSubmitted,
} from './handlers.js';
import { registerOutcome } from './outcome.js';

export const registerApprovals: Register = (edge) => {
  const { app } = edge;
  app.action<BlockButtonAction>(ACTIONS.approve, approveClicked(edge));
  app.action<BlockButtonAction>(ACTIONS.deny, denyClicked(edge));
  app.action<BlockButtonAction>(ACTIONS.details, detailsClicked(edge));
  registerAttention(edge);
  registerBatch(edge);
  registerEdit(edge);
  registerOutcome(edge);
  app.action<BlockButtonAction>(ACTIONS.pageBack, pageTurned(edge));
  app.action<BlockButtonAction>(ACTIONS.pageOn, pageTurned(edge));
  app.view<ViewSubmitAction>(VIEWS.approvalDeny, denySubmitted(edge));
  app.view<ViewSubmitAction>(VIEWS.proof, proofSubmitted(edge));
};
