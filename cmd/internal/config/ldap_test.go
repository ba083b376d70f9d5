package config

import (
	"fmt"
	"testing"
	"time"

	"sekisho/store"
	"sekisho/store/ldapsync"

	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"
)

func TestEveryKeyOfTheDirectoryArrives(t *testing.T) {
	c, problems := loadCheckout("testdata/ldap.good.yaml")
	want := `testdata/ldap.good.yaml:29:48: warning: ldap.values.course.SOMETHING: policy asahi-net has no course "ADSLトーカア"`
	if problems.Err() != nil || problems.Error() != want {
		t.Fatalf("got  %v\nwant %s", problems, want)
	}
	d := c.Directory
	if d.Connect.BindDN != "cn=sekisho,ou=apps,o=isp" || string(d.Connect.Password) != "a secret of a NAS in a file" || !d.Connect.StartTLS ||
		d.Connect.Timeout != 10*time.Second || len(d.Connect.Servers) != 2 || d.Connect.PasswordFile != "testdata/nas.secret" {
		t.Errorf("got %+v", d.Connect)
	}
	search := ldapsync.Search{Base: "ou=contracts,o=isp", Scope: ldap.ScopeSingleLevel, Filter: "(&(objectClass=ispContract)(!(ispStatus=test)))", PageSize: 500}
	times := ldapsync.Times{
		Interval: 30 * time.Second, FullCompare: 12 * time.Hour, Overlap: 2 * time.Minute, Grace: 7 * 24 * time.Hour,
		Held: 5 * time.Minute, Window: 2 * time.Hour, Stale: 30 * time.Minute,
	}
	guards := store.DirectoryGuards{Guards: store.Guards{MaxDeletes: 100, MaxDeletePercent: -1, MaxChanges: 1000, MinContracts: 1000}, MaxChangePercent: 20}
	if d.Search != search || d.Times != times || d.Guards != guards || d.Method != ldapsync.Timestamp {
		t.Errorf("got %+v", d)
	}
	e := ldap.NewEntry("cn=x", map[string][]string{
		"UID": {"u1"}, "ispCourse": {"adsl_talker "}, "ispSegment": {"whatever"}, "ispOption": {"固定ＩＰ", "請求書"}, "ispStatus": {"停止"}, "ispAddressType": {"固定"},
	})
	contracts, err := d.Mapping.Contracts(e)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("[{u1 ADSLトーカー fixed  personal [fixed-ip] suspended}]", sprint(contracts)); diff != "" {
		t.Error(diff)
	}
}

func TestWithoutADirectoryThereIsNone(t *testing.T) {
	c, problems := loadCheckout("testdata/full.good.yaml")
	if problems.Err() != nil || c.Directory != nil {
		t.Errorf("got %+v, %v", c.Directory, problems)
	}
}

func sprint(v any) string { return fmt.Sprintf("%v", v) }
