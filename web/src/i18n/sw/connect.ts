import type { connect as english } from "../en/connect";
import type { Message } from "../message";

export const connect: Record<keyof typeof english, Message> = {
  "connect.1": "Fungua WhatsApp kwenye simu ya boti",
  "connect.1.about":
    "Gusa Mipangilio (kwenye Android nukta tatu), kisha Vifaa vilivyounganishwa, kisha Unganisha kifaa.",
  "connect.2": "Skani msimbo, au uuandike",
  "connect.3": "Imeunganishwa",
  "connect.done": "imekamilika",
  "connect.detail": "Nini hasa kilitokea",
  "connect.start": "Anzisha boti",
  "connect.restart": "Anzisha boti upya",
  "connect.tryNow": "Jaribu tena sasa",
  "connect.retry": "Boti itajaribu tena yenyewe {when}.",
  "connect.unreached": "Boti haikuweza kuifikia WhatsApp.",
  "connect.staff":
    "WhatsApp haijaunganishwa. Ni mmiliki wa boti hii tu anayeweza kuiunganisha: tafadhali mwambie mmoja wao.",
  "connect.qr.how": "Shika simu ili ione msimbo huu.",
  "connect.qr.alt":
    "Msimbo wa kuskani kwa WhatsApp. Kama huwezi kuuskani, tumia msimbo wa kuandika badala yake.",
  "connect.qr.left": "Msimbo mpya utakuja baada ya sekunde {n}",
  "connect.qr.copy": "Nakili maandishi ya msimbo",
  "connect.qr.new": "Onyesha msimbo mpya",
  "connect.qr.instead": "Skani msimbo badala yake",
  "connect.code.instead": "Tumia msimbo wa kuandika",
  "connect.code.instead.about": "Kama unasoma hapa kwenye simu yenyewe.",
  "connect.code.how":
    "WhatsApp itaomba herufi na tarakimu nane. Simu itakayokuwa boti ina namba gani?",
  "connect.code.phone": "Namba ya simu hiyo",
  "connect.code.phone.hint":
    "Pamoja na msimbo wa nchi, kama +254 700 000 001. Iache wazi kutumia namba iliyo kwenye kumbukumbu.",
  "connect.code.phone.wrong": "Anza na msimbo wa nchi bila 0: +254 700 000 001, si 0700 000 001.",
  "connect.code.get": "Pata msimbo",
  "connect.code.where":
    "Kwenye simu {phone}: gusa “Unganisha kwa namba ya simu badala yake”, au ujumbe unaoonyeshwa na WhatsApp, kisha andika hii:",
  "connect.code.alt": "Msimbo ni {code}",
  "connect.code.copy": "Nakili msimbo",
  "connect.code.left": "unafaa kwa {time}",
  "connect.connected.as": "Imeunganishwa kama {phone}",
  "connect.connected.since":
    "Iliunganishwa {ago}. Unaweza kufunga ukurasa huu; boti inaendelea yenyewe.",
  "connect.step.stopped": "Boti imezimwa",
  "connect.step.stopped.about": "Lazima iwe inafanya kazi kabla ya kuunganishwa.",
  "connect.step.stopping": "Boti inazimwa",
  "connect.step.stopping.about": "Inachukua sekunde chache.",
  "connect.step.absent": "Inasubiri boti",
  "connect.step.absent.about":
    "Boti inaanza sasa hivi, au imezimwa. Kama hakuna kinachotokea hapa ndani ya dakika moja, mwombe aliyekupa kiungo hiki aianzishe.",
  "connect.step.starting": "Boti inaanza",
  "connect.step.starting.about": "Msimbo utaonekana hapa baada ya muda mfupi.",
  "connect.step.failed": "Boti haiwezi kuendelea kufanya kazi",
  "connect.step.failed.about":
    "Programu yake ilisimama kwa hitilafu. Ianzishe upya; isiposaidia, mwambie mwendeshaji wako.",
  "connect.step.own_program": "Boti hii inatumia programu yake yenyewe",
  "connect.step.own_program.about":
    "Inaunganishwa kwa njia yake yenyewe, si hapa. Muulize aliyeitengeneza programu hiyo.",
  "connect.step.scan": "Inakusubiri uskani msimbo",
  "connect.step.next_code": "Msimbo unaofuata unakuja",
  "connect.step.next_code.about": "WhatsApp itatuma mwingine baada ya muda mfupi.",
  "connect.step.code_requested": "Inaomba msimbo kutoka WhatsApp",
  "connect.step.code_requested.about": "Inachukua sekunde chache.",
  "connect.step.code": "Inakusubiri uandike msimbo",
  "connect.step.code_expired": "Msimbo haufai tena",
  "connect.step.code_expired.about": "Haukuandikwa kwa wakati. Pata mwingine.",
  "connect.step.timed_out": "Hakuna aliyetumia msimbo kwa wakati",
  "connect.step.timed_out.about":
    "Misimbo inaonyeshwa kwa dakika chache tu. Weka simu tayari, kisha onyesha msimbo mpya.",
  "connect.step.cancelled": "Kuunganisha kumesitishwa",
  "connect.step.cancelled.about": "Onyesha msimbo mpya ukiwa tayari.",
  "connect.step.refused": "WhatsApp haitoi msimbo kwa namba hii",
  "connect.step.refused.about":
    "Hakikisha namba na usubiri dakika chache kabla ya kuomba tena, au skani msimbo badala yake.",
  "connect.step.passkey_needed": "Simu inaomba ufunguo wa siri (passkey)",
  "connect.step.passkey_needed.about":
    "Boti haina. Kwenye WhatsApp ya simu: Mipangilio, Akaunti, Passkeys: ondoa passkey, kisha onyesha msimbo mpya.",
  "connect.step.reconnecting": "Boti inaunganisha na WhatsApp",
  "connect.step.reconnecting.about": "Simu tayari imeunganishwa; inachukua sekunde chache.",
  "connect.step.trouble": "WhatsApp hairuhusu boti kuingia",
  "connect.step.logged_out": "Simu imeiondoa boti",
  "connect.step.logged_out.about":
    "Mtu aliiondoa kwenye Vifaa vilivyounganishwa, au WhatsApp iliiondoa. Onyesha msimbo mpya ili kuiunganisha tena.",
  "connect.step.connected": "Imeunganishwa",
  "connect.trouble.unreachable":
    "WhatsApp haipatikani. Mara nyingi ni tatizo la mtandao, na boti itajaribu tena yenyewe.",
  "connect.trouble.refused":
    "WhatsApp inakataa kuingia na haisemi kwa nini. Mwambie mwendeshaji wako.",
  "connect.trouble.outdated":
    "Toleo la boti ni la zamani mno kwa WhatsApp. Mwendeshaji wako anatakiwa kulisasisha.",
  "connect.trouble.banned_for_now":
    "WhatsApp imezuia namba hii kwa muda, mara nyingi kwa sababu ya ujumbe mwingi kwa watu ambao hawakuandika kwanza. Subiri hadi muda huo uishe.",
  "connect.trouble.banned":
    "WhatsApp imezuia namba hii. Fungua WhatsApp kwenye simu: inasema kwa nini, na jinsi ya kuomba ichunguzwe upya.",
  "connect.trouble.deaf":
    "Muunganisho unakaa kimya mara kwa mara. Hakikisha simu imewashwa na iko mtandaoni, na umwambie mwendeshaji wako.",
  "connect.trouble.storage":
    "Boti haiwezi kuhifadhi kinachoingia: huenda diski imejaa. Mwambie mwendeshaji wako; ujumbe unasubiri WhatsApp.",
};
