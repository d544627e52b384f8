/**
 * Passwords and words that every guessing program tries first, in lower case, in no order. A password is compared as it is typed, and
 * also without the digits around it and with letters for look-alike digits, so that a word here stands for all its usual variants.
 */
export const COMMON_PASSWORDS: ReadonlySet<string> = new Set(
	`
	12345678 123456789 1234567890 0123456789 87654321 987654321 11111111 00000000 12341234 11223344 12121212 123123123 88888888 66666666
	77777777 99999999 55555555 22222222 33333333 44444444 123456abc 1234abcd abcd1234 abc12345 abcdefgh abcdefg1 1q2w3e4r 1q2w3e4r5t
	1qaz2wsx 1qaz2wsx3edc 1qazxsw2 zaq12wsx zaq1zaq1 q1w2e3r4 q1w2e3r4t5 qwertyui qwertyuiop qwerty12 qwerty123 qwer1234 qweasdzxc
	qweqweqwe asdfghjk asdfghjkl asdfasdf asdf1234 zxcvbnm1 zxcvbnm123 1234qwer 123qweasd 123456789a 123456789q 1234567a a1234567
	a12345678 a123456789 aa123456 aa12345678 abc123456 abc123abc qwe123456 asd123456 zxc123456 147258369 741852963 159753456 159357456
	789456123 963852741 321321321 456456456 112233445566 111222333 123321123 1233211234567 102030405060 10203040 13579246 135792468
	24681012 20202020 19841984 20002000 31415926 314159265 27182818 00112233 01020304 01234567 98765432 76543210 147852369 12qwaszx
	1a2b3c4d a1b2c3d4 a1b2c3d4e5 1z2x3c4v z1x2c3v4 p0o9i8u7 0p9o8i7u qazwsxedc qazwsx123 edcrfvtgb rfvtgbyhn qawsedrf poiuytrewq
	lkjhgfdsa mnbvcxz1 mnbvcxza zxcvasdf qwerasdf asdfqwer qwertz123 azerty123 azertyuiop qsdfghjklm wertyuio sdfghjkl dfghjkl1
	password password1 passwort passwords passw0rd p@ssw0rd p@ssword pa55word pa55w0rd passphrase passcode passport password12 password123
	mypassword newpassword oldpassword thepassword nopassword yourpassword userpassword adminpassword rootpassword defaultpassword
	temppassword testpassword masterpassword superpassword changepassword resetpassword initialpassword wordpass drowssap contrasena
	motdepasse kennwort parola senha123 salasana wachtwoord losenord lozinka heslo haslo passwd passwd123 secretpassword mypass mypass123
	letmein letmeinnow letmein1 letmeinplease openup opensesame opensaysme sesame abracadabra alohomora welcome welcome1 welcomehome
	welcomeback welkom willkommen bienvenue bienvenido iloveyou iloveyou1 iloveyou2 iloveyouso iloveme ilovejesus ilovegod loveyou lovely
	loveme lovelove lover loverboy lovergirl iloveu iluvyou iluvu jetaime teamo tequiero mylove truelove babygirl babyboy babydoll baby
	sunshine princess football baseball basketball softball volleyball hockey soccer tennis golfing golfer cricket rugby swimming running
	superman batman spiderman ironman wolverine catwoman aquaman joker deadpool captain hulk thor avengers xmen starwars startrek
	skywalker darthvader chewbacca yoda hansolo jedi stormtrooper enterprise spock gandalf frodo bilbo legolas aragorn hobbit mordor
	dumbledore hermione hogwarts voldemort harrypotter quidditch gryffindor slytherin pokemon pikachu charizard bulbasaur naruto sasuke
	dragonball goku vegeta minecraft fortnite roblox warcraft starcraft diablo halflife counterstrike callofduty assassin mario zelda
	nintendo playstation xbox gamer gamecube sonic tetris pacman doom quake portal skyrim fallout overwatch valorant leagueoflegends
	trustno trustno1 trustme trustnoone matrix neo morpheus trinity whatever whocares nothing something anything everything nobody somebody
	michael michelle jennifer jessica ashley amanda daniel andrew joshua matthew robert thomas william anthony charles charlie christopher
	joseph david james john richard george steven kevin brian jason justin brandon ryan nicholas nicole samantha stephanie elizabeth
	heather melissa danielle rebecca rachel amber lauren megan victoria vanessa natalie angela andrea maria martina alexander alexandra
	alexis alejandro alejandra carlos antonio fernando francisco roberto eduardo ricardo daniela gabriela gabriel valentina sofia
	isabella sebastian santiago mateo camila mariana patricia sandra susana barbara margaret catherine katherine kimberly jonathan benjamin
	samuel jeremy zachary patrick vincent dennis gregory raymond lawrence phillip russell stanley leonard harold gerald douglas donald
	kenneth edward ronald timothy jeffrey scott eric stephen larry frank gary peter tyler aaron jose henry adam nathan kyle walter
	ethan noah keith roger terry carl arthur sean christian austin joe albert jesse willie billy bryan bruce jordan ralph roy eugene
	linda karen betty donna carol ruth sharon laura sarah deborah dorothy nancy helen debra cynthia kathleen amy shirley anna brenda pamela
	emma martha carolyn christine marie janet frances virginia joyce diane alice julie evelyn joan kelly lori tiffany tina kathy
	hunter harley ranger buster cookie ginger pepper maggie bailey sophie chester rusty sparky shadow lucky tigger snoopy garfield scooby
	scoobydoo simba nemo bambi mickey minnie donaldduck daffy bugsbunny tweety sylvester goofy pluto winnie eeyore piglet peanut pumpkin
	butterfly butterfly1 dolphin dolphins elephant giraffe penguin monkey monkeys dragon dragons tiger tigers lion lions panther panthers
	eagle eagles falcon falcons hawk hawks raven ravens cowboy cowboys redskins steelers packers patriots broncos raiders chargers dolphin1
	yankees redsox dodgers giants braves cubs cardinals phillies lakers celtics bulls knicks warriors rangers bruins redwings blackhawks
	penguins arsenal chelsea liverpool manchester united mancity everton tottenham barcelona realmadrid juventus milan inter bayern
	dortmund schalke ajax benfica porto celtic newcastle westham aston madrid ronaldo messi beckham rooney neymar maradona pele
	jordan23 michaeljordan kobe24 lebron23 tigerwoods schumacher ferrari porsche mercedes bmw audi volkswagen toyota honda nissan mazda
	subaru chevrolet chevy camaro corvette mustang dodge challenger charger jeep cadillac lincoln pontiac firebird ducati yamaha kawasaki
	suzuki harleydavidson lamborghini bugatti maserati jaguar bentley tesla volvo ford fiesta focus golfgti civic accord corolla
	computer computer1 internet keyboard monitor laptop desktop windows windows7 windows10 microsoft macintosh apple iphone android samsung
	google facebook twitter instagram youtube yahoo hotmail gmail linkedin amazon netflix spotify skype whatsapp telegram myspace tumblr
	linux ubuntu debian redhat fedora centos suse solaris unix oracle mysql postgres mongodb redis apache nginx tomcat jenkins docker
	kubernetes gitlab github jira confluence wordpress joomla drupal magento cisco juniper netgear linksys dlink tplink asus huawei zyxel
	fritzbox speedport ubiquiti ubnt mikrotik fortinet sonicwall paloalto checkpoint vmware citrix dell lenovo thinkpad hewlett siemens
	schneider rockwell allenbradley beckhoff wago phoenix omron mitsubishi honeywell emerson yokogawa advantech moxa simatic modbus scada
	profibus profinet ethernet plcadmin hmiadmin wincc codesys tiaportal inverter sunspec fronius kostal solaredge enphase victron huaweisun
	growatt solarpower energy electric electricity powerplant substation transformer meter meters sensor sensors telemetry gateway gateway1
	drawbridge raspberry raspberrypi raspbian arduino orangepi odroid beaglebone jetson nvidia intel pentium router switch modem firewall
	server servers serverroom database backup backups storage network networks wireless hotspot wifi wifipassword homewifi guestwifi guest
	guest123 visitor public private default default1 factory master masterkey masters supervisor superuser superadmin sysadmin sysop system
	systems administrator administrador administrateur admin admins adminadmin adminadmin1 admin123 admin1234 admin12345 admin123456 admin2020
	administer root rootroot root1234 toor toortoor user username useruser users user1234 login loginlogin logmein logon account accounts access
	accessme access14 security secure secured secret secrets secretkey topsecret confidential classified hidden private1 mysecret keykey keypass
	service services service1 servicedesk support helpdesk technician technik techniker engineer engineering installer installateur operator
	operator1 operations maintenance manager management director president employee office company business corporate factory1 warehouse
	changeme changeme1 changeit changeitnow changethis change pleasechange fixme replaceme temp temporary temp1234 test testing testtest test1234
	tester testuser testpass testaccount demo demodemo demo1234 example sample foobar foobarbaz fubar helloworld hello hellohello hello123
	hellokitty hithere howdy goodbye goodmorning goodnight goodluck godbless goddess jesus jesuschrist christ heaven angel angels angelica
	angelina blessed blessing faith hope grace glory miracle church bible prayer allah mohammed muhammad ahmed ibrahim mustafa fatima krishna
	ganesh shiva buddha zen lotus namaste yoga karma spirit ghost phantom vampire zombie monster demon devil lucifer satan hellfire
	summer winter spring autumn january february march april may june july august september october november december monday tuesday wednesday
	thursday friday saturday sunday weekend holiday vacation christmas xmas halloween easter birthday anniversary valentine newyear millennium
	summertime wintertime springtime snowball snowman snowflake sunflower sunrise sunset moonlight moonbeam starlight stardust rainbow rainbows
	thunder lightning hurricane tornado blizzard volcano tsunami earthquake ocean oceans river island beach mountain mountains forest desert
	flower flowers rose roses daisy lily tulip orchid jasmine violet lavender cherry peaches strawberry blueberry banana bananas orange
	apples pineapple coconut mango lemonade chocolate vanilla caramel candy cupcake cheesecake pancake pizza burger cheese cheeseburger chicken
	chickens bacon sausage spaghetti noodles sandwich butter honey sugar sweet sweetie sweetheart sweetpea cookies cookiemonster coffee espresso
	cappuccino whiskey vodka tequila bourbon guinness heineken budweiser corona cocacola pepsi mountaindew redbull gatorade marlboro camel
	black white purple yellow green silver golden orange1 blue bluesky blueberry1 redred pink pinky crimson scarlet emerald sapphire diamond
	diamonds crystal platinum jewels treasure money moneymoney dollar dollars million millionaire billionaire rich richie casino poker
	jackpot winner winning champion champions victory legend legends hero heroes warrior soldier marine marines army navy airforce usmc sniper
	shooter gunner hunter1 hunting fishing fisherman camping hiking climbing skiing snowboard skateboard skater surfing surfer sailing diving
	boxing wrestling wrestler karate judo kungfu ninja samurai shogun katana viking vikings pirate pirates knight knights castle kingdom king
	kingkong queen prince princesa princess1 emperor empire dynasty royal royalty throne wizard wizards magic magician merlin mystic mystery
	unicorn pegasus phoenix1 griffin dragonfly firefly ladybug spider spiders scorpion cobra python viper rattlesnake turtle turtles froggy frog
	rabbit bunny kitten kitty kittykat cat cats doggy doggie puppy puppies dogs horse horses pony cowgirl rooster duck ducks fish goldfish shark
	sharks whale bear bears teddybear panda koala wolf wolves wolfpack fox foxy coyote cougar cheetah leopard gorilla chimpanzee hamster
	metallica slipknot nirvana acdc ironmaiden megadeth pantera slayer korn linkinpark greenday blink182 eminem tupac biggie snoopdogg beatles
	rollingstones ledzeppelin pinkfloyd queen1 aerosmith bonjovi gunsnroses depeche coldplay radiohead rammstein madonna britney beyonce
	rihanna shakira justinbieber taylorswift michaeljackson elvis elvispresley marilyn monroe audrey chanel gucci prada versace nike adidas puma
	reebok converse jordans guitar guitars piano drummer drums violin trumpet music musica musical dancer dancing singer singing artist
	painter picture photo camera canon nikon kodak movies cinema theatre hollywood broadway vegas lasvegas newyork newyorkcity brooklyn chicago
	boston dallas houston denver seattle portland phoenix2 atlanta miami florida texas california losangeles sanfrancisco hawaii alaska montana
	london paris berlin hamburg munich muenchen frankfurt vienna zurich rome milano venezia lisbon amsterdam brussels prague warsaw
	budapest moscow moskva stpetersburg kiev istanbul athens cairo dubai mumbai delhi bangalore calcutta karachi dhaka bangkok singapore jakarta
	manila hongkong shanghai beijing tokyo osaka kyoto seoul sydney melbourne toronto montreal vancouver mexico brazil brasil argentina colombia
	america american canada england scotland ireland wales britain france deutschland germany austria switzerland italia italy espana spain
	portugal poland polska russia rossiya ukraine turkey turkiye israel egypt africa nigeria kenya india pakistan china japan korea australia
	freedom liberty justice democracy republic patriot nation peace peaceful harmony happiness happy happyday smile smiley smiling laughing joyful
	friend friends friendship bestfriend forever foreverlove always together family mother father mommy daddy mamma pappa sister brother brothers
	grandma grandpa husband wife girlfriend boyfriend children baby123 sexy sexygirl sexyboy hotgirl hottie beautiful gorgeous handsome pretty
	cutie cutiepie hotstuff bigdaddy bigboy bigdog badboy badgirl goodboy goodgirl gangster gangsta playboy player pimp pimping thug thuglife
	rockstar rockandroll rocknroll superstar superstar1 famous diva stargate galaxy universe planet planets jupiter saturn mercury venus neptune
	uranus apollo apollo13 artemis athena zeus hercules achilles odin loki ragnarok atlantis olympus titan titans titanic cosmos infinity
	eternity destiny fantasy dreamer dreams dreaming nightmare midnight darkness darkside darkangel blackcat blackjack blackbird blackout
	bluebird redrose whitey goldstar silverado mustang1 thunderbird thunderbolt lightsaber nascar formula racing racer speedy turbo nitro
	engine motor motorcycle bicycle airplane aviation pilot helicopter rocket spaceship shuttle sputnik apollo11 military police officer sheriff
	fireman firefighter doctor nurse hospital medical pharmacy lawyer attorney teacher student students school college university harvard
	stanford berkeley oxford cambridge academy science physics chemistry biology mathematics algebra history geography english spanish
	french german italian japanese chinese korean russian arabic hebrew latin greek sanskrit philosophy psychology sociology economics
	marketing finance accounting banking insurance realestate investment treasury budget invoice payment paypal mastercard visa bitcoin
	ethereum dogecoin crypto blockchain satoshi hacker hacked hacking hackme anonymous cracker password2 qwerty qwerty1 qwertyqwerty asdfgh
	asdfjkl zxcvbn zxcvbnm qazwsx qwaszx poiuyt monkey123 dragon123 shadow123 master123 sunshine1 princess2 football1 baseball1 superman1
	ncc1701 ncc1701d thx1138 r2d2c3po c3por2d2 area51 bond007 jamesbond agent007 mission impossible terminator predator alien aliens avatar
	gladiator braveheart rambo rocky rockybalboa scarface godfather goodfellas corleone sopranos simpsons homer homersimpson bart bartman southpark
	cartman familyguy futurama spongebob patrickstar rugrats powerpuff teletubbies barney sesamestreet elmo muppets kermit misspiggy lego legos
	barbie tinkerbell cinderella snowwhite mulan pocahontas jasmine1 ariel aladdin aladin genie peterpan pinocchio rapunzel frozen elsa
	correcthorsebatterystaple correcthorse incorrect wrongpassword iforgot forgotten forgetme forgetit remember rememberme idontknow dontknow
	nopasswd nopass none blank empty null undefined unknown whoami whoareyou thisisme itsme itsme123 mememe myself myname yourname nickname
	firstname lastname blahblah blablabla lalalala hahahaha lollol lololol omgomg wtfwtf fuckyou fuckyou1 fuckoff fuckme fucker asshole bitch
	bitches bullshit shithead dickhead bastard sexsex pussy pussycat bigtits boobs naked nude porn pornstar hardcore bondage fetish viagra
	sysdba manager1 tomcat1 weblogic websphere vagrant pi pirate1 openwrt ddwrt pfsense opnsense proxmox esxi homeassistant openhab nodered grafana
	influxdb prometheus zabbix nagios mosquitto eclipse hivemq emqx ignition kepware factorytalk logix controllogix compactlogix powerflex
	p4ssw0rd p4ssword passw0rd1 passw0rd123 pass1234 pass12345 pass123456 pass word1234 word wordup enter enternow enterme entrada ingreso acceso
	clave clave123 claveclave usuario usuario1 invitado prueba prueba123 bonjour soleil doudou chouchou loulou marseille amour coucou azerty azertyui
	hallo hallo123 schatz schatzi liebe sommer winter1 fussball deutsch daniel1 schalke04 passwort123 geheim geheim123 ficken berlin1 ciao ciaociao
	amore andrea1 juventus1 francesco giuseppe alessandro lorenzo martin stefano forzamilan privet lyubov natasha tatiana svetlana olga
	dmitry vladimir sergey nikolay maksim marina ekaterina anastasia parol parol123 krasota zenit spartak dinamo woaini woaini1314 5201314
	1314520 woaini520 zhangwei wangwei liwei xiaoming sarang saranghae korea1 hangul annyeong sakura naruto1 doraemon totoro arigato konnichiwa
	bangladesh pakistan1 india123 krishna1 lakshmi saibaba jaimatadi bismillah inshallah mashallah alhamdulillah assalam assalamualaikum
	`
		.split(/\s+/)
		.filter((word) => word !== ''),
);
