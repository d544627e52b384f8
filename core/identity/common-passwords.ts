/** Passwords that every guessing program tries first, in lower case; shorter ones are refused by their length. */
export const COMMON_PASSWORDS: ReadonlySet<string> = new Set(
	`
	12345678 123456789 1234567890 0123456789 87654321 987654321 11111111 00000000 12341234 11223344 12121212 123123123 88888888 66666666
	123456abc 1234abcd abcd1234 abc12345 abcdefgh 1q2w3e4r 1q2w3e4r5t 1qaz2wsx q1w2e3r4 qwertyui qwertyuiop qwerty12 qwerty123 asdfghjk
	asdfghjkl zxcvbnm1 password password1 password12 password123 password1234 passw0rd p@ssw0rd p@ssword pa55word passwort passwort1
	letmein1 letmein123 welcome1 welcome123 iloveyou iloveyou1 sunshine princess football baseball superman batman123 trustno1 starwars
	computer internet whatever michelle jennifer jordan23 master123 monkey123 dragon123 shadow123 charlie1 changeme changeme1 changeme123
	default1 secret123 testtest test1234 guest123 temp1234 admin123 admin1234 admin12345 administrator adminadmin root1234 rootroot
	toor1234 operator operator1 engineer installer service1 service123 raspberry raspberrypi gateway1 gateway123 drawbridge drawbridge1
	modbus123 scada123 industrial factory1 electric energy123 solar123
	`
		.trim()
		.split(/\s+/),
);
