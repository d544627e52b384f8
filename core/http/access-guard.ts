import type { Plugin, RequestRoute } from '@hapi/hapi';

import { may, refuseGuest, refusePasswordDue } from '../identity/role.ts';
import { Fault } from '../kernel/fault.ts';
import { actorOf } from './access.ts';
import { stepsOf } from './steps.ts';

/** What is wrong with the access of a route, or `null`. */
function mistakeOf({ settings, method, path }: RequestRoute): string | null {
	const name = `${method.toUpperCase()} ${path}`;
	const access = settings.app?.access;
	if (access === undefined) return `${name} does not state who may call it`;
	const { auth } = settings;
	const mode = typeof auth === 'object' ? auth.mode : 'none';
	if (access !== 'public' && mode !== 'required') return `${name} is not public, but asks for no token`;
	return null;
}

/**
 * Who may call which route. The server does not initialise with a route that leaves it open, and the permission is checked here
 * and nowhere else: after the body is parsed, before anything of the request is validated, and for injected callers too.
 */
export const accessGuard: Plugin<void> = {
	name: 'access-guard',
	register(server) {
		server.ext('onPreStart', () => {
			const mistakes = server.table().flatMap((route) => mistakeOf(route) ?? []);
			if (mistakes.length > 0) throw new TypeError(mistakes.join('\n'));
		});

		stepsOf(server).onPostAuth.push((request) => {
			const { access, evenPasswordDue = false, ofBox = false } = request.route.settings.app ?? {};
			if (access === 'public') return;
			// A route that was added after the check above.
			if (access === undefined) throw new TypeError(`${request.route.path} does not state who may call it`);
			const actor = actorOf(request);
			if (!evenPasswordDue) refusePasswordDue(actor);
			if (access !== 'authenticated' && !may(actor, access))
				throw new Fault('forbidden', `this needs the permission ${access}, which the role ${actor.role} does not have`);
			if (ofBox) refuseGuest(actor);
		});
	},
};
