import type { Stoppable } from '../kernel/lifecycle.ts';
import { openDocumentSet } from '../storage/document-set.ts';
import type { AlertRepository } from './alert-repository.ts';
import type { Alert } from './alert.ts';

/** Alerts as documents of a database of their own. */
export const createAlertStore = (folder: string): AlertRepository & Stoppable =>
	openDocumentSet<Alert>(folder, 'alert');
