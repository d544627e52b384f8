import test from 'ava';
import Joi from 'joi';

import { TOKEN_STRATEGY } from '../../core/http/access.ts';
import { PERMISSIONS_OF } from '../../core/identity/permission.ts';
import { ROLES } from '../../core/identity/role.ts';
import { storageReport } from '../../core/system/storage-report.ts';
import { storageAnswer, storageView } from '../../core/system/storage-schema.ts';
import { type Box, type HullRole, startBox } from '../contract/kit/box.ts';
import { actorOfRole } from '../fake/actor-of-role.ts';

const HULLS: readonly HullRole[] = ['gateway', 'hub'];

async function ask({ server }: Box, role: (typeof ROLES)[number] | null) {
	const auth =
		role === null ? {} : { auth: { strategy: TOKEN_STRATEGY, credentials: { user: { actor: actorOfRole(role) } } } };
	const { statusCode, payload } = await server.inject({ url: '/api/v1/system/storage', ...auth });
	return { statusCode, payload };
}

for (const hull of HULLS)
	test(`a ${hull} tells what it stores, writes and would lose`, async (t) => {
		const box = await startBox(hull, {
			environment: {
				DRAWBRIDGE_JOURNAL_FLUSH_INTERVAL_MS: '250',
				DRAWBRIDGE_CARD_CAPACITY_GB: '32',
				DRAWBRIDGE_CARD_ENDURANCE_CYCLES: '3000',
			},
		});
		t.teardown(() => box.stop());
		const { statusCode, payload } = await ask(box, 'superadmin');
		t.is(statusCode, 200);
		const body: ReturnType<typeof storageView> = Joi.attempt(JSON.parse(payload), storageAnswer);
		t.is(body.power_cut.lost_ms, 250);
		t.like(body.card, { capacity_bytes: 32e9, endurance_cycles: 3_000, projected_life_years: null });
		t.true(body.journal.bytes >= 4 * 1024 * 1024);
		const folders = body.data.folders.map(({ folder }) => folder);
		t.true(folders.includes('journal') && folders.includes('devices'), folders.join());
		const streams = new Map(body.written.streams.map(({ stream, total_bytes }) => [stream, total_bytes]));
		t.true((streams.get('journal') ?? 0) >= 4 * 1024 * 1024, 'the first segment is filled with zeros');
		const metrics = await box.server.inject({ url: '/metrics' });
		t.regex(metrics.payload, /^drawbridge_written_bytes_total\{stream="journal"\} \d{7,}$/m);
		for (const role of ROLES)
			t.is((await ask(box, role)).statusCode, PERMISSIONS_OF[role].has('system:read') ? 200 : 403, role);
		t.is((await ask(box, null)).statusCode, 401);
	});

test('the card is as large as its file system unless it is told', (t) => {
	const known = {
		overflow: [],
		data: { usedBytes: 1, freeBytes: 1, totalBytes: 64e9, byFolder: {} },
		journal: {
			epoch: 1,
			segments: 1,
			bytes: 1,
			committedSamples: 0,
			commits: 0,
			syncs: 0,
			writtenBytes: 0,
			pendingSamples: 0,
			losses: [],
			writeError: null,
		},
		bounds: { flushIntervalMs: 1_000, flushBytes: 65_536, maxBytes: 2, minFreeBytes: 1 },
		written: { bytes: {}, bytesPerDay: { journal: 0.75e9, other: 0.25e9 }, measuredMs: 86_400_000 },
	};
	const factor = { enduranceCycles: 1_000, writeAmplification: 4 };
	const whole = storageReport(known, { capacityGb: 0, ...factor });
	t.is(whole.card.capacityBytes, 64e9);
	t.is(Math.round(whole.card.projectedLifeYears ?? 0), 44);
	const told = storageReport(known, { capacityGb: 32, ...factor });
	t.is(told.card.capacityBytes, 32e9);
	t.is(Math.round(told.card.projectedLifeYears ?? 0), 22);
	t.notThrows(() => Joi.assert(storageView(told), storageAnswer));
});
