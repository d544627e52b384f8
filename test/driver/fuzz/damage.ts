import fc from 'fast-check';

/** What happens to the bytes of an answer on its way. Positions are shares of the length, so that they fit every answer. */
export type Damage =
	| { readonly kind: 'flip'; readonly at: number; readonly bit: number }
	| { readonly kind: 'cut'; readonly at: number }
	| { readonly kind: 'drop'; readonly at: number; readonly count: number }
	| { readonly kind: 'insert'; readonly at: number; readonly bytes: Uint8Array }
	| { readonly kind: 'overwrite'; readonly at: number; readonly bytes: Uint8Array }
	| { readonly kind: 'twice' }
	| { readonly kind: 'replace'; readonly bytes: Uint8Array };

const share = fc.integer({ min: 0, max: 999 }).map((thousandths) => thousandths / 1000);
const few = fc.uint8Array({ minLength: 1, maxLength: 6 });

const damage: fc.Arbitrary<Damage> = fc.oneof(
	fc.record({ kind: fc.constant('flip' as const), at: share, bit: fc.integer({ min: 0, max: 7 }) }),
	fc.record({ kind: fc.constant('cut' as const), at: share }),
	fc.record({ kind: fc.constant('drop' as const), at: share, count: fc.integer({ min: 1, max: 5 }) }),
	fc.record({ kind: fc.constant('insert' as const), at: share, bytes: few }),
	fc.record({ kind: fc.constant('overwrite' as const), at: share, bytes: few }),
	fc.record({ kind: fc.constant('twice' as const) }),
	fc.record({ kind: fc.constant('replace' as const), bytes: fc.uint8Array({ maxLength: 300 }) }),
);

/** None up to three damages, and the sizes of the pieces in which the bytes arrive. */
export const damages = fc.array(damage, { maxLength: 3 });
export const pieces = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 6 });

function damaged(bytes: Buffer, what: Damage): Buffer {
	if (what.kind === 'twice') return Buffer.concat([bytes, bytes]);
	if (what.kind === 'replace') return Buffer.from(what.bytes);
	const at = Math.floor(what.at * bytes.length);
	const before = bytes.subarray(0, at);
	switch (what.kind) {
		case 'flip':
			return Buffer.from(bytes.map((byte, place) => (place === at ? byte ^ (1 << what.bit) : byte)));
		case 'cut':
			return Buffer.from(before);
		case 'drop':
			return Buffer.concat([before, bytes.subarray(at + what.count)]);
		case 'insert':
			return Buffer.concat([before, what.bytes, bytes.subarray(at)]);
		case 'overwrite':
			return Buffer.concat([before, what.bytes, bytes.subarray(at + what.bytes.length)]);
	}
}

export const applyAll = (bytes: Buffer, all: readonly Damage[]): Buffer => all.reduce(damaged, bytes);
