import type { OptionValue } from './wire-field.ts';

/** What the API answers about device templates, as it is on the wire. */

export type TemplateOrigin = 'product' | 'site' | 'hub';

export type Verification = 'two sources' | 'one source' | 'unverified';

/** A line of the list of templates. */
export interface TemplateLineView {
	readonly key: string;
	readonly manufacturer: string;
	readonly model: string;
	readonly variants: readonly string[];
	readonly category: string;
	readonly points: number;
	readonly origin: TemplateOrigin;
	/** Key of the template it changes. */
	readonly extends: string | null;
	readonly verification: Verification | null;
	/** Why it cannot be used; empty: it can. */
	readonly mistakes: readonly string[];
}

/** One template. What has mistakes is shown as it was uploaded, so nothing is sure of its document. */
export interface ShownTemplateView {
	readonly key: string;
	readonly origin: TemplateOrigin;
	readonly extends: string | null;
	/** Names this state of it; '' when its file cannot be read. */
	readonly checksum: string;
	/** device_uid of each. */
	readonly used_by: readonly string[];
	readonly mistakes: readonly string[];
	readonly document: unknown;
}

export interface LabelsView {
	readonly ko?: string;
	readonly tr?: string;
}

/** A point as far as it is shown; that of a serial device stands in a frame, and has no register. */
export interface TemplatePointView {
	readonly key: string;
	readonly name: string;
	/** Modbus function it is read with, 1 to 4. */
	readonly function?: number;
	/** As on the wire, from 0. */
	readonly address?: number;
	readonly count?: number;
	readonly type?: string;
	readonly byte_order?: string;
	readonly scale?: number;
	readonly offset?: number;
	readonly min?: number | null;
	readonly max?: number | null;
	readonly unit?: string;
	readonly kind?: string;
	readonly access?: string;
	readonly labels?: LabelsView;
	readonly when?: readonly { readonly option: string; readonly is: readonly OptionValue[] }[];
}

export interface TemplateVariableView {
	readonly name: string;
	readonly label: string;
	readonly labels?: LabelsView;
	readonly type: string;
	readonly default: OptionValue;
	readonly choices?: readonly { readonly value: OptionValue; readonly label: string }[];
}

/** A sound template written out. */
export interface TemplateDocumentView {
	readonly manufacturer: string;
	readonly model: string;
	readonly variants?: readonly string[];
	readonly category: string;
	readonly transports?: readonly string[];
	readonly verification?: Verification;
	readonly quirks?: readonly string[];
	readonly options?: readonly TemplateVariableView[];
	readonly sources?: readonly { readonly work: string; readonly licence: string; readonly use: string }[];
	readonly points: readonly TemplatePointView[];
}

/** What was found in an imported file, and where. */
export interface ImportNoteView {
	readonly severity: 'mistake' | 'warning';
	readonly line: number | null;
	readonly column: number | null;
	/** Of a workbook. */
	readonly sheet: string | null;
	readonly cell: string | null;
	readonly field: string | null;
	readonly rule: string;
	readonly value: string | null;
}

export interface MemberChangeView {
	readonly member: string;
	readonly before: unknown;
	readonly after: unknown;
}

export interface TemplateDiffView {
	readonly header: readonly MemberChangeView[];
	readonly added: readonly string[];
	readonly removed: readonly string[];
	readonly changed: readonly { readonly key: string; readonly members: readonly MemberChangeView[] }[];
}

/** What a file would be as a template; nothing is stored yet. */
export interface TemplateImportView {
	readonly key: string;
	/** `null`: nobody could tell. */
	readonly format: string | null;
	readonly is_sound: boolean;
	readonly notes: readonly ImportNoteView[];
	readonly document: { readonly points?: readonly unknown[] } | null;
	/** `null`: the key has no template in use, or the document is not sound. */
	readonly diff: TemplateDiffView | null;
}
