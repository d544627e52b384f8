import { useEffect, useRef } from 'preact/hooks';
import UPlot from 'uplot';

const HEIGHT_PX = 220;
/** Below this span the marks show seconds and need more room, s. */
const FEW_MINUTES_S = 1_200;
/** From this span on they show days, which need more room too, s. */
const DAYS_S = 86_400;

interface ChartProps {
	readonly timesMs: readonly number[];
	/** One line, or two with what is between them filled: the highest and the lowest. `null` breaks a line. */
	readonly lines: readonly (readonly (number | null)[])[];
	/** What it shows, for screen readers; also the text below. */
	readonly summary: string;
	readonly unit: string;
	readonly fromMs: number;
	readonly toMs: number;
}

/** Colours come from the style sheet, which knows light and dark. */
function optionsOf(element: HTMLElement, unit: string, isBand: boolean): UPlot.Options {
	const style = getComputedStyle(element);
	const axis = {
		stroke: style.getPropertyValue('--axis'),
		grid: { stroke: style.getPropertyValue('--grid'), width: 1 },
	};
	const fill = style.getPropertyValue('--line-fill');
	const line = { label: unit, stroke: style.getPropertyValue('--line'), width: isBand ? 1 : 1.5, spanGaps: false };
	const ticks = { stroke: style.getPropertyValue('--grid'), width: 1, size: 4 };
	return {
		width: element.clientWidth,
		height: HEIGHT_PX,
		legend: { show: false },
		cursor: { y: false, drag: { x: false, y: false } },
		scales: { x: { time: true } },
		axes: [
			{
				...axis,
				ticks,
				size: 30,
				space: (_, __, from, to) => (to - from < FEW_MINUTES_S || to - from > DAYS_S ? 90 : 50),
				values: (_, splits) => splits.map(clockFaceFor(splits)),
			},
			{ ...axis, ticks, size: 56 },
		],
		series: isBand ? [{}, line, line] : [{}, { ...line, fill }],
		...(isBand && { bands: [{ series: [1, 2], fill: style.getPropertyValue('--band') }] }),
	};
}

const minutes = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
const LANGUAGE = document.documentElement.lang;
/** What marks say, by how far they are apart, s; the first that fits counts. */
const FACES = [
	{ belowS: 60, face: new Intl.DateTimeFormat(LANGUAGE, { ...minutes, second: '2-digit' }) },
	{ belowS: DAYS_S, face: new Intl.DateTimeFormat(LANGUAGE, minutes) },
	{ belowS: 25 * DAYS_S, face: new Intl.DateTimeFormat(LANGUAGE, { day: 'numeric', month: 'short' }) },
	{ belowS: Number.POSITIVE_INFINITY, face: new Intl.DateTimeFormat(LANGUAGE, { month: 'short', year: 'numeric' }) },
] as const;
const dayFace = FACES[2].face;

/** Names the marks of a time axis so that no two are alike; where the hours begin anew the day is named. */
function clockFaceFor([first = 0, second = 0]: readonly number[]): (seconds: number) => string {
	const { face } = FACES.find(({ belowS }) => second - first < belowS) ?? FACES[3];
	const isOfHours = face === FACES[1].face;
	return (seconds) => {
		const at = new Date(seconds * 1_000);
		return (isOfHours && at.getHours() === 0 && at.getMinutes() === 0 ? dayFace : face).format(at);
	};
}

/** The theme may change while the chart is shown; a canvas does not follow a style sheet by itself. */
const darkScheme = matchMedia('(prefers-color-scheme: dark)');

function dataOf({ timesMs, lines }: Pick<ChartProps, 'timesMs' | 'lines'>): UPlot.AlignedData {
	return [timesMs.map((ms) => ms / 1_000), ...lines.map((line) => [...line])];
}

/** Values over time. Give it a `key` where the number of lines changes. */
export function Chart({ timesMs, lines, summary, unit, fromMs, toMs }: ChartProps) {
	const place = useRef<HTMLDivElement>(null);
	const plot = useRef<UPlot | null>(null);
	const shown = useRef({ timesMs, lines });
	shown.current = { timesMs, lines };
	const isBand = lines.length > 1;

	useEffect(() => {
		const element = place.current;
		if (element === null) return;
		const draw = (): void => {
			plot.current?.destroy();
			plot.current = new UPlot(optionsOf(element, unit, isBand), dataOf(shown.current), element);
		};
		draw();
		darkScheme.addEventListener('change', draw);
		const sizes = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height: HEIGHT_PX }));
		sizes.observe(element);
		return () => {
			sizes.disconnect();
			darkScheme.removeEventListener('change', draw);
			plot.current?.destroy();
			plot.current = null;
		};
	}, [unit, isBand]);

	useEffect(() => {
		const chart = plot.current;
		if (chart === null) return;
		chart.batch(() => {
			chart.setData(dataOf(shown.current), true);
			chart.setScale('x', { min: fromMs / 1_000, max: toMs / 1_000 });
		});
	}, [timesMs, lines, fromMs, toMs]);

	return <div class="chart" ref={place} role="img" aria-label={summary} />;
}
