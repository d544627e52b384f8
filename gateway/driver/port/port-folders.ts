/** Where the operating system shows its serial ports and programs. */
export interface PortFolders {
	/** `/dev` */
	readonly dev: string;
	/** `/sys` */
	readonly sys: string;
	/** `/proc` */
	readonly proc: string;
	/** File with the names of groups. */
	readonly groups: string;
}

export const machineFolders: PortFolders = { dev: '/dev', sys: '/sys', proc: '/proc', groups: '/etc/group' };
