import type { entry as english } from "../en/entry";
import type { Message } from "../message";

export const entry: Record<keyof typeof english, Message> = {
  "entry.setup": "Sanidi",
  "entry.signIn": "Ingia",
  "entry.forgot": "Umesahau nenosiri",
  "entry.invitation": "Karibu",
  "entry.reset": "Chagua nenosiri jipya",
  "entry.connect": "Unganisha WhatsApp",
  "entry.or": "au",
  "entry.yourName": "Jina lako",
  "entry.newPassword": "Nenosiri jipya",
  "entry.backToSignIn": "Kwenye ukurasa wa kuingia",
  "entry.wait": "Majaribio ni mengi mno. Jaribu tena baada ya {time}, saa {at}.",
  "entry.noSecret":
    "Anwani hii imekosa sehemu ya kiungo iliyo baada ya “#”. Fungua kiungo kizima, kama ulivyopewa.",
  "entry.password.show": "Onyesha nenosiri",
  "entry.password.hint": "Angalau herufi 12; sentensi ni rahisi kukumbuka.",
  "entry.password.short": "Bado ni fupi",
  "entry.password.weak": "Ni rahisi kukisia",
  "entry.password.fair": "Linatosha",
  "entry.password.good": "Ni vigumu kukisia",
  "entry.signIn.code": "Msimbo kutoka programu yako ya uthibitisho",
  "entry.signIn.code.hint": "Tarakimu sita zinazoonyeshwa na programu sasa.",
  "entry.signIn.codeFailed": "Msimbo, anwani au nenosiri si sahihi, au akaunti imefungwa.",
  "entry.signIn.with": "Ingia kwa {name}",
  "entry.signIn.forgot": "Umesahau nenosiri?",
  "entry.signIn.setupNeeded":
    "Bado hakuna msimamizi. Fungua kiungo cha kusanidi ambacho seva ilikichapisha ilipoanza.",
  "entry.forgot.about": "Tutakutumia kiungo cha kuchagua nenosiri jipya.",
  "entry.forgot.send": "Tuma kiungo",
  "entry.forgot.sent":
    "Kama kuna akaunti yenye anwani {email}, barua pepe iko njiani. Kiungo chake kinafaa kwa saa moja; angalia pia kwenye barua zisizotakiwa.",
  "entry.forgot.noMail":
    "Seva hii haitumi barua pepe. Mwombe msimamizi wako kiungo cha kuchagua nenosiri jipya.",
  "entry.invitation.about": "Chagua utakachoingia nacho kuanzia sasa.",
  "entry.reset.about": "Utaondolewa kila mahali, kisha utaingia kwa nenosiri jipya.",
  "entry.accept.save": "Hifadhi nenosiri",
  "entry.accept.done": "Nenosiri lako limewekwa. Ingia nalo.",
  "entry.dead": "Kiungo hiki hakifai tena",
  "entry.dead.setup":
    "Kilishatumika, au seva ilianzishwa upya tangu wakati huo: basi imechapisha kingine kipya. Kama msimamizi ameshawekwa, ingia.",
  "entry.dead.invitation":
    "Kilishatumika, kimepita siku saba, au kimebadilishwa na kingine kipya. Mwombe aliyekualika akupe kingine.",
  "entry.dead.reset": "Kilishatumika, kimepita saa moja, au kimebadilishwa na kingine kipya.",
  "entry.dead.connect":
    "Muda wake umeisha au kilifutwa. Mwombe aliyekupa akupe kipya: mwendeshaji wako, au mmiliki wa boti.",
  "entry.dead.another": "Omba kiungo kingine",
  "entry.connect.title": "Unganisha WhatsApp: {name}",
  "entry.connect.until":
    "Kiungo hiki kinafaa hadi {at}. Yeyote aliye nacho anaweza kuunganisha boti hii, kwa hiyo usikishiriki.",
  "entry.setup.steps": "Hatua",
  "entry.setup.1": "Sanidi: akaunti yako",
  "entry.setup.1.about": "Utakuwa msimamizi wa kwanza wa mfumo huu.",
  "entry.setup.2": "Sanidi: jina lake",
  "entry.setup.2.about": "Wateja wako wataona jina hili badala ya letu.",
  "entry.setup.3": "Sanidi: mteja wa kwanza",
  "entry.setup.3.about": "Kila mteja wako ana boti yake ya WhatsApp.",
  "entry.setup.email.hint": "Utaingia kwa anwani hii.",
  "entry.setup.create": "Fungua akaunti",
  "entry.setup.brand": "Jina la mfumo",
  "entry.setup.brand.hint":
    "Kwa mfano jina la kampuni yako. Rangi na nembo vinaweza kuwekwa baadaye, chini ya Mfumo.",
  "entry.setup.skip": "Ruka",
  "entry.setup.next": "Endelea",
  "entry.setup.tenant": "Jina la biashara",
  "entry.setup.tenant.phone": "Namba ya WhatsApp",
  "entry.setup.tenant.phone.hint": "Pamoja na msimbo wa nchi. Inaweza kuongezwa baadaye.",
  "entry.setup.tenant.made": "{name} ameongezwa. Anzisha boti yake na uiunganishe.",
  "entry.setup.finish": "Maliza",
  "problem.sign_in_failed": "Anwani au nenosiri si sahihi, au akaunti imefungwa.",
  "problem.worker_not_running": "Boti haifanyi kazi. Iwashe kwanza.",
  "problem.already_paired": "Boti hii tayari imeunganishwa na simu.",
  "problem.lifecycle_busy":
    "Boti inaanzishwa au inazimwa sasa hivi. Jaribu tena baada ya muda mfupi.",
  "problem.too_many_requests":
    "Maombi ni mengi mno kwa mara moja. Subiri kidogo, kisha ujaribu tena.",
  "entry.expired": "Ingia tena",
  "entry.expired.about":
    "Kipindi chako kimeisha. Ulichokuwa ukiandika bado kipo: ingia, kisha uendelee.",
  "entry.expired.other": "Mimi ni mtu mwingine",
};
