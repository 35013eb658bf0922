import type { settings as english } from "../en/settings";
import type { Message } from "../message";

export const settings: Record<keyof typeof english, Message> = {
  "settings.tenant": "Mipangilio",
  "settings.phone.hint":
    "Pamoja na msimbo wa nchi. Msimbo wa kuunganisha hutengenezwa kwa namba hii.",
  "settings.greeting": "Salamu",
  "settings.greeting.hint": "Boti inachojibu kama hakuna kanuni. Tupu: haijibu.",
  "settings.perMinute": "Ujumbe kwa dakika",
  "settings.perMinute.hint": "Usiozidi huu ndio unaotumwa, majibu na mwingine pamoja: 1 hadi 600.",
  "settings.program": "Kinachoendeshwa",
  "settings.program.about":
    "Usipogusa hapa, boti ya Tenantry yenyewe inaendeshwa. Programu yako huendeshwa kwenye mashine hii: wasimamizi pekee wanaweza kuichagua.",
  "settings.command": "Programu na hoja zake",
  "settings.command.hint": "Moja kwa kila mstari, bila shell. Tupu: boti ya Tenantry.",
  "settings.cwd": "Folda inamoendeshwa",
  "settings.heartbeat": "Ishara ya uhai",
  "settings.heartbeat.hint": "Jinsi inavyojulikana kwamba programu ni nzima.",
  "settings.heartbeat.link": "Inatoa taarifa kwa Tenantry",
  "settings.heartbeat.process": "Inaendelea kufanya kazi, inatosha",
  "settings.env": "Vigeu",
  "settings.env.hint": "Kimoja kwa kila mstari: JINA=thamani",
  "settings.saved": "Imehifadhiwa. Boti inaitumia kuanzia sasa.",
  "settings.savedRestart": "Imehifadhiwa. Anzisha boti upya ili itumike.",

  "pacing.title": "Mwendo",
  "pacing.about":
    "Namba inayoandika haraka mno, au kwa wageni wengi mno, hufungiwa na WhatsApp. Mipaka hii inaikinga boti.",
  "pacing.on": "Boti inadhibiti mwendo wake",
  "pacing.off.warn": "Bila kudhibiti mwendo, namba inaweza kufungiwa.",
  "pacing.quiet": "Saa za utulivu",
  "pacing.quiet.about": "Katika saa hizi haandikiwi yeyote ambaye hajawahi kuandika.",
  "pacing.quiet.on": "Weka saa za utulivu",
  "pacing.quiet.replies": "Majibu pia yasubiri asubuhi",
  "pacing.contact": "Mwasiliani mmoja",
  "pacing.contact.about": "Ujumbe mwingi zaidi kwa mwasiliani mmoja katika dakika hizi.",
  "pacing.contact.max": "Ujumbe",
  "pacing.contact.minutes": "Dakika",
  "pacing.beyond": "Majibu yanayozidi",
  "pacing.beyond.wait": "yanasubiri",
  "pacing.beyond.suppress": "hayatumwi",
  "pacing.typing": "Kuandika",
  "pacing.typing.about":
    "Boti huonyesha kwamba inaandika kabla ya kutuma, zaidi kwa maandishi marefu.",
  "pacing.typing.per_character_ms": "Milisekunde kwa herufi",
  "pacing.typing.least_ms": "Angalau (ms)",
  "pacing.typing.most_ms": "Isizidi (ms)",
  "pacing.typing.jitter_percent": "Hutofautiana kwa (%)",
  "pacing.warm_up": "Kuanza polepole",
  "pacing.warm_up.about":
    "Wasiliani wangapi ambao hawajawahi kuandika wanaweza kuandikiwa kwa siku; huongezeka kila siku baada ya simu kuunganishwa.",
  "pacing.warm_up.first_day": "Siku ya kwanza",
  "pacing.warm_up.growth_percent": "Ongezeko kila siku (%)",
  "pacing.warm_up.most": "Isizidi",
  "pacing.slowdown": "Kupunguza mwendo",
  "pacing.slowdown.about":
    "WhatsApp ikisema ni nyingi mno, boti husimama kidogo kisha huenda polepole kwa muda.",
  "pacing.slowdown.pause_seconds": "Kusimama (sekunde)",
  "pacing.slowdown.recovery_minutes": "Kurejea (dakika)",

  "danger.title": "Yasiyoweza kurudishwa",
  "danger.reset": "Futa muunganisho wa WhatsApp",
  "danger.reset.about": "Ili kuunganisha simu nyingine, au muunganisho ukiharibika.",
  "danger.reset.ask": "Ufute muunganisho wa WhatsApp wa {name}?",
  "danger.reset.first": "Boti haitaifikia WhatsApp hadi simu iunganishwe tena.",
  "danger.reset.second":
    "Muunganisho na funguo zake zinafutwa. Ujumbe, kanuni na mipangilio inabaki.",
  "danger.reset.third": "Simu bado inaonyesha kifaa kilichounganishwa; kiondoe huko.",
  "danger.reset.done": "Muunganisho umefutwa. Unganisha simu tena.",
  "danger.delete": "Futa mteja",
  "danger.delete.about": "Mteja akiwa ameondoka kabisa.",
  "danger.delete.ask": "Ufute {name} kabisa?",
  "danger.delete.first":
    "Boti yake inasimamishwa, na muunganisho wa WhatsApp na funguo zake zinafutwa.",
  "danger.delete.second": "Ujumbe, kanuni, mipangilio, matukio na kumbukumbu zake zinafutwa.",
  "danger.delete.third": "Hakuna kinachoweza kurudishwa, isipokuwa kutoka nakala rudufu.",
  "danger.delete.done": "{name} imefutwa.",
};
