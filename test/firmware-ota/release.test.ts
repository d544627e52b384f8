import test from 'ava';
import fc from 'fast-check';

import type { JsonObject } from '../../core/configuration/canonical-json.ts';
import type { TrustedTarget } from '../../firmware-ota/trust/delegation-walk.ts';
import { type Appliance, chooseRelease, releaseOf } from '../../firmware-ota/trust/release.ts';

const BOX: Appliance = {
	product: 'gateway',
	arch: 'arm64',
	hardware: 'pi4',
	os: 'debian12',
	seq: 10,
	floorSeq: 9,
	channels: ['stable'],
};

const CUSTOM = {
	product: 'gateway',
	version: '1.4.0',
	seq: 11,
	arch: 'arm64',
	hw: ['pi4', 'pi5'],
	os: ['debian12'],
	min_from_seq: 5,
	channel: 'stable',
	unpacked_bytes: 1000,
	manifest_sha256: 'a'.repeat(64),
} satisfies JsonObject;

const targetOf = (change: JsonObject = {}, name = 'x'): TrustedTarget => ({
	path: `appliance/${name}.tar`,
	length: 1000,
	sha256: 'b'.repeat(64),
	custom: { ...CUSTOM, ...change },
	role: 'appliance',
});

test('the newest release that is for this box is chosen by its counter, not by its version', (t) => {
	const targets = [
		targetOf({ seq: 12, version: '1.0.0' }, 'new'),
		targetOf({ seq: 11, version: '9.9.9' }, 'old'),
		targetOf({ seq: 13, arch: 'amd64' }, 'other'),
	];
	const { newest, passedOver } = chooseRelease(targets, BOX);
	t.is(newest?.target.path, 'appliance/new.tar');
	t.deepEqual([...passedOver], [['appliance/other.tar', 'it is for amd64, and this is arm64']]);
});

const REFUSED: readonly (readonly [change: JsonObject, reason: RegExp])[] = [
	[{ product: 'hub' }, /it is hub/],
	[{ hw: ['pi5'] }, /not for the hardware pi4/],
	[{ os: ['debian13'] }, /not for debian12/],
	[{ channel: 'beta' }, /channel beta/],
	[{ seq: 10 }, /not above 10/],
	[{ seq: 8 }, /below the floor 9/],
	[{ min_from_seq: 11 }, /needs 11 first/],
	[{ seq: 'twelve' }, /seq/],
	[{ seq: 1.5 }, /seq/],
	[{ product: '../hub' }, /product/],
	[{ version: 'latest' }, /version/],
	[{ manifest_sha256: 'short' }, /manifest_sha256/],
	[{ unpacked_bytes: 0 }, /unpacked_bytes/],
	[{ notes_url: 'javascript:alert(1)' }, /notes_url/],
];

for (const [change, reason] of REFUSED)
	test(`a release with ${JSON.stringify(change)} is passed over, and the reason is said`, (t) => {
		const { newest, passedOver } = chooseRelease([targetOf(change)], BOX);
		t.is(newest, null);
		t.regex(passedOver.get('appliance/x.tar') ?? '', reason);
	});

test('a release without lists runs everywhere, and what a newer signer adds is ignored', (t) => {
	const { hw: _hw, os: _os, ...rest } = CUSTOM;
	const release = releaseOf({ ...targetOf(), custom: { ...rest, future: { anything: true } } });
	t.deepEqual([release.hardware, release.os, release.isSecurity, release.rollbackFloor], [[], [], false, null]);
});

test('whatever is signed, nothing at or below the running counter or the floor is chosen', (t) => {
	fc.assert(
		fc.property(
			fc.array(fc.record({ seq: fc.nat(30), min_from_seq: fc.nat(30), arch: fc.constantFrom('arm64', 'amd64') })),
			fc.nat(30),
			fc.nat(30),
			(changes, seq, floorSeq) => {
				const targets = changes.map((change, index) => targetOf(change, `r${index}`));
				const { newest } = chooseRelease(targets, { ...BOX, seq, floorSeq });
				const fitting = changes.filter(
					(one) =>
						one.seq > seq && one.seq >= floorSeq && one.min_from_seq <= seq && one.arch === 'arm64' && one.seq > 0,
				);
				const expected = Math.max(...fitting.map((one) => one.seq), -1);
				return newest === null ? expected === -1 : newest.seq === expected;
			},
		),
	);
	t.pass();
});
