package chart

// words are all that the charts say of themselves; what is said of a policy
// stands in the policy.
type words struct {
	title, when, note, results          string
	stepName, resultName                string
	sendingQuestion                     string
	otherPort, ownServer, otherServer   string
	affected, unaffected, unaffectedEnd string
	later, remedies                     string
	other, otherCourse, yes, no, comma  string
	lineQuestion, otherAction           string
	leadsTo                             string
	questions, values, actions          map[string]string
}

var vocabulary = map[string]*words{"ja": &japanese, "en": &english}

var japanese = words{
	title:           "25番ポートブロックの影響を受けるお客様の判別チャート (%s)",
	when:            "%s 現在",
	note:            "他社プロバイダーのインターネット接続からの送信は、このチャートの対象外です。ご利用のプロバイダーへご確認ください。受信には影響ありません。",
	results:         "判定結果",
	stepName:        "STEP%d",
	resultName:      "結果%s",
	sendingQuestion: "メールをどのように送信していますか。複数ある場合は、それぞれについてご確認ください。",
	otherPort:       "ウェブメール、または25番以外のポート(587番、465番)で送信",
	ownServer:       "25番ポートで %s へ送信",
	otherServer:     "25番ポートで それ以外のメールサーバーへ送信(お客様設置のメールサーバーからの送信を含みます)",
	affected:        "影響を受けます",
	unaffected:      "影響ありません",
	unaffectedEnd:   "影響ありません。判定は終了です。",
	later:           "%s から: %s",
	remedies:        "対応方法",
	other:           "上記以外",
	otherCourse:     "上記以外の接続サービス",
	yes:             "はい",
	no:              "いいえ",
	comma:           "、",
	lineQuestion:    "接続に使う回線は次のいずれかですか: %s",
	otherAction:     "「%s」の制限を受けます",
	leadsTo:         "→",
	questions: map[string]string{
		"course":  "ご利用の接続サービス(コース)はどれですか。",
		"form":    "ルーターなどに設定した接続ユーザー名はどれですか。",
		"realm":   "接続ユーザー名の@より後はどれですか。",
		"address": "ご契約のIPアドレスはどれですか。",
		"option":  "次のオプションをご契約ですか: %s",
		"segment": "ご契約の区分はどれですか。",
		"status":  "ご契約の状態はどれですか。",
		"area":    "接続先のエリアはどれですか。ご契約の都道府県と一致しない場合があります。",
		"nas":     "接続先の装置はどれですか。",
		"request": "接続時の %s は次のいずれかですか: %s",
	},
	values: map[string]string{
		"dynamic": "動的IPアドレス", "fixed": "固定IPアドレス", "simple-fixed": "簡易固定IPアドレス",
		"fixed-ip": "固定IPアドレスオプション", "security-vpn": "セキュリティモデルVPNオプション",
		"personal": "個人", "corporate-s": "法人S", "active": "利用中", "suspended": "休止中", "closed": "解約済み",
		"Async": "ダイヤルアップ", "tokyo": "東京", "okinawa": "沖縄",
	},
	actions: map[string]string{
		"limit": "一定時間に大量のメールを送信することが制限されます", "block": "送信できません", "block-all": "送信できません",
	},
}

var english = words{
	title:           "Does the blocking of port 25 concern you? (%s)",
	when:            "as of %s",
	note:            "Connections through another provider are not covered here; please ask that provider. Receiving mail is not affected.",
	results:         "Results",
	stepName:        "STEP %d",
	resultName:      "Result %s",
	sendingQuestion: "How do you send mail? If in several ways, go through the chart for each.",
	otherPort:       "web mail, or another port than 25 (587, 465)",
	ownServer:       "port 25 of %s",
	otherServer:     "port 25 of any other mail server (also when your own server sends)",
	affected:        "you are affected",
	unaffected:      "not affected",
	unaffectedEnd:   "not affected; you need not read on",
	later:           "from %s: %s",
	remedies:        "What to do",
	other:           "anything else",
	otherCourse:     "any other course",
	yes:             "yes",
	no:              "no",
	comma:           ", ",
	lineQuestion:    "Is the line of the connection one of these? %s",
	otherAction:     "restricted by %q",
	leadsTo:         "->",
	questions: map[string]string{
		"course":  "Which is your course?",
		"form":    "With which user name does your router log in?",
		"realm":   "What stands behind the @ of your user name?",
		"address": "Which IP address does your contract have?",
		"option":  "Does your contract have this option? %s",
		"segment": "Which segment is your contract in?",
		"status":  "What is the status of your contract?",
		"area":    "In which area does your connection arrive? It may not be the prefecture of your contract.",
		"nas":     "At which access router does your connection arrive?",
		"request": "Is %s of your connection one of these? %s",
	},
	values: map[string]string{
		"dynamic": "a dynamic IP address", "fixed": "a fixed IP address", "simple-fixed": "a simple fixed IP address",
		"fixed-ip": "fixed IP address", "security-vpn": "security model VPN", "Async": "dial-up (modem)",
		"personal": "personal", "corporate-s": "corporate S",
	},
	actions: map[string]string{
		"limit": "sending much mail in a short time is limited", "block": "mail cannot be sent", "block-all": "mail cannot be sent",
	},
}
