import test from 'ava';

import { readTemplates } from '../../config/template/template-schema.ts';
import type { TemplateDocument } from '../../config/template/template.ts';
import { isNamedIn, rankCandidates } from '../../gateway/scan/candidate-rank.ts';
import { createProbeRound } from '../../gateway/scan/probe-round.ts';
import type { Candidate } from '../../gateway/scan/scan.ts';
import { readDeviceImage } from '../fake/device-image.ts';

type WordsOf = (functionCode: number, address: number, count: number) => readonly number[] | null;

/** Models whose registers are also those of a richer sibling; the type plate decides. */
const SHADOWED: ReadonlySet<string> = new Set(['schneider-iem3155']);

const installed = readTemplates('config/template');

interface Recognised {
	readonly candidates: readonly Candidate[];
	readonly reads: number;
}

/** What a device that holds these registers is taken for. */
function recognise(templates: readonly TemplateDocument[], wordsOf: WordsOf, words = '', mostReads = 64): Recognised {
	const round = createProbeRound(templates, { mostReads, isFavoured: (template) => isNamedIn(words, template) });
	let reads = 0;
	for (let read = round.next(); read !== null; read = round.next()) {
		reads += 1;
		const found = wordsOf(read.functionCode, read.address, read.count);
		const isBits = read.functionCode <= 2;
		const data = Buffer.alloc(isBits ? Math.ceil(read.count / 8) : 2 * read.count);
		for (const [k, word] of (found ?? []).entries()) {
			if (!isBits) data.writeUInt16BE(word, 2 * k);
			else if (word === 1) data.writeUInt8(data.readUInt8(k >> 3) | (1 << (k & 7)), k >> 3);
		}
		round.settle(read, found === null ? null : data);
	}
	return { candidates: rankCandidates(templates, round.verdicts(), words), reads };
}

test('each device of the library is recognised by its registers alone', async (t) => {
	const { templates } = await installed;
	const all = [...templates.values()];
	for (const template of all.filter(({ probe }) => probe.length > 0)) {
		const image = await readDeviceImage(template.key).catch(() => null);
		if (image === null) continue;
		const { candidates, reads } = recognise(all, image.wordsOf);
		const names = candidates.map(({ template: key, confidence }) => `${key} ${confidence}`).join(', ');
		const place = candidates.findIndex(({ template: key }) => key === template.key);
		t.true(place >= 0, `${template.key} is not among: ${names} (${reads} reads)`);
		const best = candidates[0]?.confidence ?? 0;
		const isLikeliest = (candidates[place]?.confidence ?? 0) >= best - 0.05;
		t.is(isLikeliest, !SHADOWED.has(template.key), names);
		t.true(reads <= 64);
	}
});

test('a device that refuses everything is nobody, and is asked as often as there are probes at most', async (t) => {
	const { templates } = await installed;
	const { candidates, reads } = recognise([...templates.values()], () => null);
	t.deepEqual(candidates, []);
	t.true(reads <= 64);
});

test('a device that answers zero everywhere is nobody in particular', async (t) => {
	const { templates } = await installed;
	const { candidates } = recognise([...templates.values()], (_functionCode, _address, count) =>
		Array.from({ length: count }, () => 0),
	);
	t.true(
		candidates.every(({ confidence }) => confidence < 0.8),
		JSON.stringify(candidates.slice(0, 3)),
	);
});

test('the reads of a round are bounded, and the same register is never read twice', async (t) => {
	const { templates } = await installed;
	const seen = new Set<string>();
	const { reads } = recognise(
		[...templates.values()],
		(functionCode, address, count) => {
			const key = `${functionCode}:${address}:${count}`;
			t.false(seen.has(key), key);
			seen.add(key);
			return null;
		},
		'',
		5,
	);
	t.true(reads <= 5);
});

test('what a device says about itself outweighs what its registers leave open, and the reasons are sentences', async (t) => {
	const { templates } = await installed;
	const all = [...templates.values()];
	const { wordsOf } = await readDeviceImage('eastron-sdm630');
	const mute = recognise(all, wordsOf).candidates.find(({ template }) => template === 'eastron-sdm630');
	const [named] = recognise(all, wordsOf, 'Eastron SDM630-Modbus V2 2.00').candidates;
	t.is(named?.template, 'eastron-sdm630');
	t.true((named?.confidence ?? 0) >= (mute?.confidence ?? 1));
	t.true(named?.why.includes('the device calls itself Eastron SDM630-Modbus V2'));
	t.true(
		named?.why.some((sentence) => /^Frequency reads \d+(\.\d+)? Hz$/.test(sentence)),
		JSON.stringify(named?.why),
	);
});

test('a device that names itself and answers otherwise is offered with a doubt', async (t) => {
	const { templates } = await installed;
	const { candidates } = recognise([...templates.values()], () => null, 'EASTRON sdm630-modbus v2');
	const [first] = candidates;
	t.is(first?.template, 'eastron-sdm630');
	t.true((first?.confidence ?? 1) <= 0.5);
	t.true(first?.why.includes('its registers do not answer like this template'));
});

test('templates that would answer the same say so', async (t) => {
	const { templates } = await installed;
	const sdm = templates.get('eastron-sdm630');
	if (sdm === undefined) throw new Error('the template is missing');
	const twin = { ...sdm, key: 'twin-meter' };
	const { wordsOf } = await readDeviceImage('eastron-sdm630');
	const { candidates } = recognise([sdm, twin], wordsOf);
	t.is(candidates.length, 2);
	t.true(candidates[0]?.why.some((sentence) => sentence.includes('would answer the same; the type plate decides')));
});
