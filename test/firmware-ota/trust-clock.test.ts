import test from 'ava';

import { type Clock, epochMs } from '../../core/kernel/clock.ts';
import { bothClients, DAY_MS, withAppliance } from './both-clients.ts';
import { type HostileRepository, newTestKey, signedText } from './hostile-repository.ts';

const NOW = Date.now();

interface MovedClock extends Clock {
	set(days: number, isKnown: boolean): void;
}

/** A clock so many days from the real time, which somebody vouches for or not. */
function movedClock(days: number, isKnown: boolean): MovedClock {
	let state = { days, isKnown };
	const now = () => epochMs(NOW + Math.round(state.days * DAY_MS));
	return {
		now,
		monotonicMs: () => 0,
		trustedNow: () => (state.isKnown ? now() : null),
		set(to, known) {
			state = { days: to, isKnown: known };
		},
	};
}

const in1970 = -NOW / DAY_MS;

test('first contact: a box whose clock begins in 1970 takes what is signed, and does not call it fresh', async (t) => {
	const { refresh, view } = await bothClients(t, { clock: movedClock(in1970, false) });
	t.is(await refresh(), 'accepted');
	t.true(view().isDoubtful);
});

test('first contact: what had expired before the build was made is refused, whatever the clock says', async (t) => {
	const { refresh, repository } = await bothClients(t, { clock: movedClock(in1970, false), builtAt: NOW - 5 * DAY_MS });
	repository.world.timestamp.days = -6;
	repository.publish();
	t.is(await refresh(), 'expired');
	t.is(await refresh(true), 'expired');
	repository.world.timestamp.days = -4;
	repository.publish();
	t.is(await refresh(), 'accepted');
});

test('a clock that nobody vouches for, and that says that all has expired, does not lock the box out', async (t) => {
	const { refresh, view, repository } = await bothClients(t, { clock: movedClock(400, false) });
	t.is(await refresh(), 'accepted');
	t.true(view().isDoubtful);
	repository.next();
	t.is(await refresh(), 'accepted');
	t.is(view().timestampVersion, 2);
});

test('without a known time older versions are refused all the same', async (t) => {
	const { refresh, repository } = await bothClients(t, { clock: movedClock(in1970, false) });
	const old = repository.recording();
	repository.next();
	t.is(await refresh(), 'accepted');
	repository.replay(old, ['timestamp.json']);
	t.is(await refresh(), 'rollback');
});

test('a clock that is vouched for makes expiry final, but for the word of a person at the box', async (t) => {
	const { refresh, trust } = await bothClients(t, { clock: movedClock(20, true) });
	t.is(await refresh(), 'expired');
	t.is(trust().view(), null);
	t.is(await refresh(true), 'accepted');
	t.throws(() => trust().view(), { message: /it was valid until/ });
	t.true(trust().view({ mayBeExpired: true })?.isDoubtful);
});

test('a clock in 2106 is not believed, even when somebody vouches for it', async (t) => {
	const { refresh, view } = await bothClients(t, { clock: movedClock(80 * 365, true) });
	t.is(await refresh(), 'accepted');
	t.true(view().isDoubtful);
});

test('a known clock before the newest signature is wrong: the signature says how late it is at least', async (t) => {
	const { refresh, trust, repository } = await bothClients(t, {
		clock: movedClock(-300, true),
		prepare(made: HostileRepository) {
			withAppliance(made);
			made.world.issuedDays = -2;
		},
	});
	t.is(await refresh(), 'accepted');
	t.true(Math.abs(trust().floor() - (NOW - 2 * DAY_MS)) < 60_000);
	// What had expired before that signature is refused, though the clock would let it pass.
	repository.world.targets.days = -3;
	repository.world.issuedDays = null;
	repository.next();
	t.is(await refresh(), 'expired');
});

test('first contact: the timestamp that comes says how late it is, and the rest is held against it', async (t) => {
	const { refresh, repository } = await bothClients(t, { clock: movedClock(in1970, false) });
	const { world } = repository;
	world.snapshot.days = -2;
	repository.publish();
	const { signed } = JSON.parse(repository.files.get('metadata/timestamp.json')?.toString() ?? '{}');
	repository.put(
		'metadata/timestamp.json',
		signedText({ ...signed, issued_at: repository.at(-1) }, world.timestamp.keys),
	);
	t.is(await refresh(), 'expired');
	// Without that word nobody knows that it is late.
	world.timestamp.version = 2;
	repository.publish();
	t.is(await refresh(), 'accepted');
});

test('a stolen timestamp key that signs from the future loses its say with the key', async (t) => {
	const clock = movedClock(0, true);
	const { refresh, trust, repository } = await bothClients(t, { clock });
	const { world } = repository;
	t.is(await refresh(), 'accepted');
	world.issuedDays = 900;
	world.timestamp.days = 1000;
	world.timestamp.version = 2;
	const evil = repository.recording();
	repository.publish();
	repository.replay(evil, ['1.targets.json', '1.snapshot.json']);
	world.issuedDays = null;
	t.not(await refresh(), 'accepted', 'all else has expired by then');
	world.timestamp = { ...world.timestamp, keys: [newTestKey()], days: 14, version: 3 };
	world.root.version = 2;
	repository.publishRoot();
	repository.publish();
	t.is(await refresh(), 'accepted');
	t.true(trust().floor() < NOW);
});

test('a set on disk grows old: from its expiry on it answers nothing until it is refreshed', async (t) => {
	const clock = movedClock(0, true);
	const { refresh, trust, repository, reopen } = await bothClients(t, { clock });
	t.is(await refresh(), 'accepted');
	clock.set(13.9, true);
	t.is(trust().view()?.isDoubtful, false);
	clock.set(14.1, true);
	t.throws(() => trust().view(), { message: /timestamp\.json: it was valid until/ });
	await reopen();
	t.throws(() => trust().view(), { message: /timestamp\.json/ });
	repository.world.timestamp.days = 28;
	repository.next();
	t.is(await refresh(), 'accepted');
	t.is(trust().view()?.isDoubtful, false);
});
