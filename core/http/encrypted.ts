import { TLSSocket } from 'node:tls';

import type { Request } from '@hapi/hapi';

/** Whether the request came over TLS to this process. Injected requests do not. */
export const isEncrypted = ({ raw }: Pick<Request, 'raw'>): boolean => raw.req.socket instanceof TLSSocket;
