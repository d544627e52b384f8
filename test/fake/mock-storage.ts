/** A gateway of 1 000 points a second on a card of 32 GB. */
export const storageOf = () => ({
	data: {
		used_bytes: 812_345_678,
		free_bytes: 21_456_789_012,
		total_bytes: 31_456_789_012,
		folders: [
			{ folder: 'journal', bytes: 402_653_184 },
			{ folder: 'history', bytes: 371_110_412 },
			{ folder: 'rollups', bytes: 12_345_678 },
		],
	},
	journal: {
		bytes: 402_653_184,
		quota_bytes: 2_147_483_648,
		free_floor_bytes: 67_108_864,
		segments: 96,
		commits: 81_234,
		committed_samples: 81_234_000,
		losses: 0,
		write_error: null,
	},
	power_cut: { lost_ms: 1_000, lost_bytes: 65_536, waiting_samples: 412 },
	written: {
		total_bytes: 912_345_678,
		bytes_per_day: 1_123_456_789,
		measured_hours: 24.3,
		streams: [
			{ stream: 'journal', total_bytes: 634_567_890, bytes_per_day: 734_567_890 },
			{ stream: 'history', total_bytes: 234_567_890, bytes_per_day: 334_567_890 },
			{ stream: 'audit', total_bytes: 1_234_567, bytes_per_day: 1_834_567 },
			{ stream: 'documents', total_bytes: 11_975_331, bytes_per_day: 12_486_442 },
			{ stream: 'other', total_bytes: 30_000_000, bytes_per_day: 40_000_000 },
		],
	},
	card: {
		capacity_bytes: 31_456_789_012,
		endurance_cycles: 1_000,
		write_amplification: 4,
		projected_life_years: 19.16,
	},
	overflow: [
		{
			at: '2026-11-22T03:00:00.000Z',
			level: 'raw',
			reason: 'retention',
			from: '2025-11-21T00:00:00.000Z',
			to: '2025-11-22T00:00:00.000Z',
			bytes: 121_456_789,
			samples: 86_400_000,
		},
	],
});
