package store

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"
)

// campaignsBucket holds one bucket for each campaign by its number, eight
// octets: in it the campaign itself, and in a bucket its members.
// It is made by the first campaign.
var (
	campaignsBucket = []byte("campaigns")
	campaignRecord  = []byte("campaign")
	campaignMembers = []byte("members")
)

// Campaign is many sessions that are told a new action at a pace: what it came
// from and how far it is at each NAS.
type Campaign struct {
	ID      uint64 // from 1
	Cause   string // "policy asahi-net was reloaded", "sessions whose time has come"
	Created time.Time
	Parts   []CampaignPart
}

// CampaignPart is a campaign at one router.
type CampaignPart struct {
	NAS    string
	Box    string `json:",omitempty"` // which of the routers, where the NAS stands for several
	State  string // planned, canary, running, paused, stopped, over
	Why    string // of a stop or a pause
	Away   bool   `json:",omitempty"` // it was stopped since the router can be told nothing, and goes on when it can
	Undo   bool   // members are told what they had before, and kept there
	Total  int    // members
	Done   int    // acknowledged, or found to have it already
	Gone   int    // ended meanwhile
	Failed int    // the router will not, or never answered
	Began  time.Time
	Ended  time.Time
}

// CampaignMember is one session of a campaign with what it was told before and
// what it is told by the campaign. An empty Before was not known.
type CampaignMember struct{ NAS, Box, Session, Before, After string }

// ErrNoCampaign says that there is none of that number.
var ErrNoCampaign = errors.New("there is no such campaign")

// AddCampaign gives a campaign its number and keeps it.
func (s *Store) AddCampaign(c Campaign) (Campaign, error) {
	err := s.update(func(tx *bolt.Tx) error {
		all, err := tx.CreateBucketIfNotExists(campaignsBucket)
		if err != nil {
			return err
		}
		if c.ID, err = all.NextSequence(); err != nil {
			return err
		}
		own, err := all.CreateBucket(seqCampaign(c.ID))
		if err != nil {
			return err
		}
		if _, err := own.CreateBucket(campaignMembers); err != nil {
			return err
		}
		return putCampaign(own, c)
	})
	if err != nil {
		return c, fmt.Errorf("keeping a campaign: %w", err)
	}
	return c, nil
}

// PutCampaign keeps how far a campaign is. Members stay.
func (s *Store) PutCampaign(c Campaign) error {
	err := s.update(func(tx *bolt.Tx) error {
		own, err := campaign(tx, c.ID)
		if err != nil {
			return err
		}
		return putCampaign(own, c)
	})
	if err != nil {
		return fmt.Errorf("keeping campaign %d: %w", c.ID, err)
	}
	return nil
}

// AddCampaignMembers keeps members of a campaign, in one transaction. They are
// on disk when this returns, so that what a router is told afterwards can be
// undone.
func (s *Store) AddCampaignMembers(id uint64, members []CampaignMember) error {
	err := s.update(func(tx *bolt.Tx) error {
		own, err := campaign(tx, id)
		if err != nil {
			return err
		}
		b := own.Bucket(campaignMembers)
		for _, m := range members {
			key := strings.Join([]string{m.NAS, m.Box, m.Session}, "\x00")
			if err := b.Put([]byte(key), []byte(m.Before+"\x00"+m.After)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keeping members of campaign %d: %w", id, err)
	}
	return nil
}

// Campaigns returns all campaigns, the newest last.
func (s *Store) Campaigns() ([]Campaign, error) {
	var all []Campaign
	err := s.view(func(tx *bolt.Tx) error {
		b := tx.Bucket(campaignsBucket)
		if b == nil {
			return nil
		}
		return b.ForEachBucket(func(key []byte) error {
			var c Campaign
			if err := json.Unmarshal(b.Bucket(key).Get(campaignRecord), &c); err != nil {
				return fmt.Errorf("%w: campaign %x: %w", ErrDamaged, key, err)
			}
			all = append(all, c)
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("reading campaigns: %w", err)
	}
	return all, nil
}

// CampaignMembers returns the members of a campaign at one router.
func (s *Store) CampaignMembers(id uint64, nas, box string) ([]CampaignMember, error) {
	var members []CampaignMember
	err := s.view(func(tx *bolt.Tx) error {
		own, err := campaign(tx, id)
		if err != nil {
			return err
		}
		prefix := nas + "\x00" + box + "\x00"
		at := own.Bucket(campaignMembers).Cursor()
		for key, value := at.Seek([]byte(prefix)); strings.HasPrefix(string(key), prefix); key, value = at.Next() {
			m, err := member(key, value)
			if err != nil {
				return err
			}
			members = append(members, m)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading members of campaign %d at %s: %w", id, nas, err)
	}
	return members, nil
}

// ForgetCampaign removes a campaign and its members.
func (s *Store) ForgetCampaign(id uint64) error {
	return s.update(func(tx *bolt.Tx) error {
		if _, err := campaign(tx, id); err != nil {
			return err
		}
		return tx.Bucket(campaignsBucket).DeleteBucket(seqCampaign(id))
	})
}

func member(key, value []byte) (m CampaignMember, err error) {
	who, what := strings.SplitN(string(key), "\x00", 3), strings.SplitN(string(value), "\x00", 2)
	if len(who) != 3 || len(what) != 2 {
		return m, fmt.Errorf("%w: campaign member %q: %q", ErrDamaged, key, value)
	}
	return CampaignMember{who[0], who[1], who[2], what[0], what[1]}, nil
}

func campaign(tx *bolt.Tx, id uint64) (*bolt.Bucket, error) {
	if all := tx.Bucket(campaignsBucket); all != nil {
		if own := all.Bucket(seqCampaign(id)); own != nil {
			return own, nil
		}
	}
	return nil, fmt.Errorf("%w: %d", ErrNoCampaign, id)
}

func putCampaign(b *bolt.Bucket, c Campaign) error {
	value, err := json.Marshal(c)
	if err != nil {
		return err
	}
	return b.Put(campaignRecord, value)
}

func seqCampaign(id uint64) []byte { return binary.BigEndian.AppendUint64(nil, id) }
