import { createHash, timingSafeEqual } from 'node:crypto';

const sha256 = (text: string): Uint8Array => new Uint8Array(createHash('sha256').update(text).digest());

/** SHA-256 of a random secret, base64url: what is kept instead of it. Passwords take argon2id. */
export const secretHash = (secret: string): string => createHash('sha256').update(secret).digest('base64url');

/** Compares in a time that does not depend on where two texts differ, nor on their lengths. */
export const isSameSecret = (a: string, b: string): boolean => timingSafeEqual(sha256(a), sha256(b));
