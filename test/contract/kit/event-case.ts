import type { ExecutionContext } from 'ava';

import type { EventOperation } from './event-document.ts';
import type { Scene } from './scene.ts';

/** One thing that has to hold of an event or topic. */
export interface EventCase {
	/** Id of the operation in the document. */
	readonly event: string;
	/** What happens, or what is refused. */
	readonly name: string;
	readonly isRefusal: boolean;
	readonly run: (t: ExecutionContext, scene: Scene, event: EventOperation) => Promise<void>;
}

type Run = EventCase['run'];

/** Something that works. */
export const works = (event: string, name: string, run: Run): EventCase => ({ event, name, isRefusal: false, run });

/** Something that is refused. */
export const refuses = (event: string, name: string, run: Run): EventCase => ({ event, name, isRefusal: true, run });
